#include "sim/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/ops.h"
#include "sim/scenario.h"
#include "sim/world.h"

#include "sim/params_table.inc"

#define ROW(name, run, rate, suc, http, code)                                                      \
	{                                                                                          \
#name, run, rate, suc, http, code, false, p_##name,                                \
			sizeof(p_##name) / sizeof(p_##name[0])                                     \
	}
#define POST(name, run, rate, suc, http, code)                                                     \
	{                                                                                          \
#name, run, rate, suc, http, code, true, p_##name,                                 \
			sizeof(p_##name) / sizeof(p_##name[0])                                     \
	}

/* Types of Success, HttpStatusCode and Code: dts-api.md 1.1 and dts-api/responses.json. */
static const struct op ops[] = {
	ROW(ConfigureDtsJob, op_configure, RATE_WRITE, SUC_TEXT, HTTP_TEXT, CODE_NONE),
	ROW(ConvertInstanceResourceGroup, op_convert_group, RATE_WRITE, SUC_BOOL, HTTP_INT,
            CODE_TEXT),
	ROW(CountJobByCondition, op_count, RATE_LIST, SUC_BOOL, HTTP_INT, CODE_NONE),
	ROW(CreateDtsInstance, op_create, RATE_WRITE, SUC_TEXT, HTTP_NONE, CODE_NONE),
	ROW(CreateJobMonitorRule, op_create_rule, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_TEXT),
	ROW(CreateReverseDtsJob, op_create_reverse, RATE_WRITE, SUC_TEXT, HTTP_TEXT, CODE_NONE),
	ROW(DeleteDtsJob, op_delete, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_NONE),
	ROW(DeleteDtsJobs, op_delete_batch, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_NONE),
	POST(DeleteMigrationJob, op_delete_old, RATE_WRITE, SUC_TEXT, HTTP_NONE, CODE_NONE),
	ROW(DeleteSynchronizationJob, op_delete_old, RATE_WRITE, SUC_TEXT, HTTP_NONE, CODE_NONE),
	ROW(DescribeDTSIP, op_dts_ip, RATE_READ, SUC_TEXT, HTTP_NONE, CODE_NONE),
	ROW(DescribeDtsInstanceDetail, op_instance_detail, RATE_DETAIL, SUC_BOOL, HTTP_INT,
            CODE_NONE),
	ROW(DescribeDtsJobConfig, op_job_config, RATE_READ, SUC_NONE, HTTP_NONE, CODE_NONE),
	ROW(DescribeDtsJobDetail, op_detail, RATE_DETAIL, SUC_BOOL, HTTP_INT, CODE_INT),
	ROW(DescribeDtsJobs, op_list, RATE_LIST, SUC_BOOL, HTTP_INT, CODE_NONE),
	ROW(DescribeJobMonitorRule, op_describe_rule, RATE_READ, SUC_BOOL, HTTP_INT, CODE_TEXT),
	ROW(DescribePreCheckStatus, op_precheck_status, RATE_READ, SUC_BOOL, HTTP_INT, CODE_NONE),
	ROW(ListTagResources, op_list_tags, RATE_READ, SUC_BOOL, HTTP_NONE, CODE_NONE),
	ROW(ModifyDtsJob, op_modify, RATE_WRITE, SUC_BOOL, HTTP_NONE, CODE_NONE),
	ROW(ModifyDtsJobConfig, op_modify_config, RATE_WRITE, SUC_NONE, HTTP_NONE, CODE_NONE),
	ROW(ModifyDtsJobDedicatedCluster, op_modify_cluster, RATE_WRITE, SUC_BOOL, HTTP_INT,
            CODE_TEXT),
	ROW(ModifyDtsJobDuLimit, op_modify_du, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_TEXT),
	ROW(ModifyDtsJobEndpoint, op_modify_endpoint, RATE_WRITE, SUC_BOOL, HTTP_TEXT, CODE_NONE),
	ROW(ModifyDtsJobName, op_modify_name, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_TEXT),
	ROW(ModifyDtsJobPassword, op_modify_password, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_TEXT),
	ROW(ModifyDynamicConfig, op_modify_dynamic, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_TEXT),
	ROW(RenewInstance, op_renew, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_TEXT),
	ROW(ResetDtsJob, op_reset, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_NONE),
	ROW(ShieldPrecheck, op_shield, RATE_WRITE, SUC_BOOL, HTTP_NONE, CODE_NONE),
	ROW(SkipPreCheck, op_skip, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_TEXT),
	ROW(StartDtsJob, op_start, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_NONE),
	ROW(StartDtsJobs, op_start_batch, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_NONE),
	ROW(StopDtsJob, op_stop, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_NONE),
	ROW(StopDtsJobs, op_stop_batch, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_NONE),
	ROW(SuspendDtsJob, op_suspend, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_NONE),
	ROW(SuspendDtsJobs, op_suspend_batch, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_NONE),
	ROW(TagResources, op_tag, RATE_WRITE, SUC_BOOL, HTTP_NONE, CODE_NONE),
	ROW(TransferInstanceClass, op_transfer_class, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_TEXT),
	ROW(TransferPayType, op_transfer_pay, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_TEXT),
	ROW(UntagResources, op_untag, RATE_WRITE, SUC_BOOL, HTTP_NONE, CODE_NONE),
	ROW(UpgradeTwoWay, op_upgrade_two_way, RATE_WRITE, SUC_BOOL, HTTP_INT, CODE_NONE),
};

static int op_compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct op *)row)->name);
}

const struct op *op_find(const char *action)
{
	return bsearch(action, ops, sizeof(ops) / sizeof(ops[0]), sizeof(ops[0]), op_compare);
}

bool op_unserved(const char *action)
{
	for (size_t i = 0; i < sizeof(unserved) / sizeof(unserved[0]); i++)
		if (strcmp(unserved[i], action) == 0)
			return true;
	return false;
}

/* The parameters every call may carry (dts-api.md 1, alibaba-auth.md 2.1). */
static const char *const common[] = {
	"AccessKeyId",     "AccountId",      "Action",          "BearerToken",      "Format",
	"OwnerId",         "RegionId",       "ResourceGroupId", "SecurityToken",    "Signature",
	"SignatureMethod", "SignatureNonce", "SignatureType",   "SignatureVersion", "Timestamp",
	"Version",         "ZeroEtlJob",
};

static bool is_common(const char *name)
{
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (strcmp(common[i], name) == 0)
			return true;
	return false;
}

/* "Tag.1.Key" names the row "Tag.Key", "ResourceId.2" the row "ResourceId" (1: RepeatList). */
static bool same_name(const struct param_def *d, const char *name)
{
	size_t n = strcspn(name, ".");
	const char *rest;

	if (strcmp(d->name, name) == 0)
		return d->type != T_LIST;
	if (name[n] != '.' || strncmp(d->name, name, n) != 0)
		return false;
	rest = name + n + 1;
	rest += strspn(rest, "0123456789");
	if (rest == name + n + 1)
		return false;
	if (d->type == T_LIST)
		return d->name[n] == '\0' && *rest == '\0';
	return d->name[n] == '.' && strcmp(d->name + n, rest) == 0;
}

static const struct param_def *find_def(const struct op *op, const char *name)
{
	for (size_t i = 0; i < op->nparams; i++)
		if (same_name(&op->params[i], name))
			return &op->params[i];
	return NULL;
}

static bool is_number(const char *s)
{
	char *end;

	if (s[0] == '\0' || strspn(s, "0123456789.-+eE") != strlen(s))
		return false;
	strtod(s, &end);
	return *end == '\0';
}

static int check_value(struct call *c, const struct param_def *d, const char *name, const char *v)
{
	int64_t i;
	bool ok = true;

	if (d->type == T_BOOL)
		ok = strcmp(v, "true") == 0 || strcmp(v, "false") == 0;
	else if (d->type == T_INT)
		ok = text_int(v, INT64_MIN / 2, INT64_MAX / 2, &i);
	else if (d->type == T_NUM)
		ok = is_number(v);
	if (!ok)
		return call_fail(c, 400, "InvalidParameter", "The Input Parameter %s is not valid.",
		                 name);
	if (d->values != NULL && !(c->w->sc->any_page_size && strcmp(d->name, "PageSize") == 0) &&
	    !text_has_field(d->values, '|', v, (d->flags & P_ICASE) != 0))
		return call_bad(c, d->name);
	return 0;
}

static bool list_given(const struct call *c, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < c->p.n; i++)
		if (strncmp(c->p.v[i].name, name, n) == 0 && c->p.v[i].name[n] == '.' &&
		    c->p.v[i].value[0] != '\0')
			return true;
	return false;
}

int params_check(struct call *c)
{
	const struct param_def *d;
	const struct pair *p;

	if (c->p.broken)
		return call_fail(c, 400, "InvalidParameter.Format",
		                 "A parameter is not well-formed.");
	for (size_t i = 0; i < c->p.n; i++) {
		p = &c->p.v[i];
		d = find_def(c->op, p->name);
		if (d == NULL && !is_common(p->name) && !c->w->sc->lenient)
			return call_fail(
				c, 400, "InvalidParameter",
				"The Input Parameter %s is not valid: %s has no such parameter.",
				p->name, c->op->name);
		if (d != NULL && p->value[0] != '\0' && check_value(c, d, p->name, p->value) != 0)
			return -1;
	}
	for (size_t i = 0; i < c->op->nparams; i++) {
		d = &c->op->params[i];
		if ((d->flags & (P_REQ | P_DOC)) == 0 || strcmp(d->name, "RegionId") == 0)
			continue;
		if (d->type == T_LIST ? !list_given(c, d->name) : arg(c, d->name) == NULL)
			return call_missing(c, d->name);
	}
	/* RegionId comes last: where it is required and absent, that is what is missing. */
	d = find_def(c->op, "RegionId");
	if (d != NULL && (d->flags & P_REQ) != 0 && arg(c, "RegionId") == NULL)
		return call_missing(c, "RegionId");
	return 0;
}
