/* Our requests against what the reference program sent for the same work (recorded). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "remote/dts.h"
#include "wire_fixture.h"

/* ---- the reference ------------------------------------------------------------- */

enum how { OURS, THEIRS, JSON_VALUE, OBJECTS };

/* Where we send something else than the reference for the same work, and why. */
static const struct difference {
	const char *action, *name;
	enum how how;
	const char *why;
} differences[] = {
	{"CreateDtsInstance", "AutoPay", THEIRS,
         "the service's default; we send what the manifest says"},
	{"CreateDtsInstance", "AutoStart", THEIRS, "has no effect without JobId (dts-api.md 3.4)"},
	{"ConfigureDtsJob", "SynchronizationDirection", THEIRS,
         "the reference sends it empty for a one-way job"},
	{"ConfigureDtsJob", "DbList", OBJECTS, "`state` is the service's own, we never send it"},
	{"ConfigureDtsJob", "Reserve", JSON_VALUE, "order of the members"},
	{"ConfigureDtsJob", "DataCheckConfigure", JSON_VALUE, "order of the members"},
	{"ModifyDtsJob", "DbList", OBJECTS, "as above"},
	{"ModifyDtsJob", "Reserved", JSON_VALUE, "order of the members"},
	{"ModifyDtsJob", "ClientToken", OURS, "makes a repeat safe"},
	{"ModifyDtsJob", "DtsJobId", OURS,
         "a two-way instance has two jobs: without it the reference changes the wrong one"},
	{"ModifyDtsJob", "SynchronizationDirection", OURS, "likewise"},
	{"ModifyDtsJobPassword", "DtsInstanceId", OURS, "job ids can go stale"},
	{"ModifyDtsJobConfig", "Parameters", JSON_VALUE, "order of the members"},
	{"StartDtsJob", "DtsInstanceId", OURS, "job ids can go stale"},
	{"StartDtsJob", "SynchronizationDirection", THEIRS, "the default, on a one-way job"},
	{"SuspendDtsJob", "DtsInstanceId", OURS, "job ids can go stale"},
	{"SuspendDtsJob", "SynchronizationDirection", THEIRS, "the default, on a one-way job"},
	{"DeleteDtsJob", "JobType", OURS, "says which kind is meant"},
	{"DeleteDtsJob", "SynchronizationDirection", OURS,
         "Reverse releases the reverse link alone (dts-api.md 3.5)"},
};

static const struct difference *difference(const char *action, const char *name)
{
	for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++)
		if (!strcmp(differences[i].action, action) && !strcmp(differences[i].name, name))
			return &differences[i];
	return NULL;
}

static bool same_value(const struct difference *d, const char *mine, const char *theirs)
{
	struct json *x, *y;

	if (!strcmp(mine, theirs))
		return true;
	if (!d || (d->how != JSON_VALUE && d->how != OBJECTS))
		return false;
	x = wire_parse(&a, mine);
	y = wire_parse(&a, theirs);
	if (d->how == OBJECTS) {
		assert_null(strstr(mine, "\"state\""));
		y = json_without(&a, y, "state");
	}
	return json_equal(x, y);
}

static void compare(const char *line, const struct dts_call *c, const struct json *theirs)
{
	const char *action = api_def(c->action)->name;

	for (const struct json *p = theirs->child; p; p = p->next) {
		const struct difference *d = difference(action, p->key);
		const char *mine = wire_value(c, p->key);

		if (mine ? !same_value(d, mine, p->s) : !d || d->how != THEIRS)
			fail_msg("%s: ours %s, theirs %s\n%s", p->key, mine ? mine : "(none)", p->s,
			         line);
	}
	for (size_t i = 0; i < c->nquery + c->nform; i++) {
		const struct pair *p = i < c->nquery ? &c->query[i] : &c->form[i - c->nquery];
		const struct difference *d = difference(action, p->name);

		if (!json_get(theirs, p->name) && (!d || d->how != OURS))
			fail_msg("%s=%s is ours alone\n%s", p->name, p->value, line);
	}
}

/* The manifest values behind the parameters of a creating request. */
static void from_request(struct setting *s, enum api_action create, const struct json *params)
{
	for (size_t i = 0; i < s->op.type->nattrs; i++) {
		const struct attr_def *at = &s->op.type->attrs[i];
		const char *v =
			at->param && at->create == create ? json_str(params, at->param) : NULL;

		if (text_empty(v))
			continue;
		if (at->route == ROUTE_OBJECTS)
			v = json_write_dup(&a, json_without(&a, wire_parse(&a, v), "state"), false);
		else if (at->route == ROUTE_PAYTYPE)
			v = strcmp(v, "PostPaid") ? "Subscription" : "PayAsYouGo";
		s->vals[i] = v;
	}
	/* Defaults of the reference that a manifest does not have. */
	if (create == API_CREATE_DTS_INSTANCE)
		s->vals[attr_of(s->op.type, "auto_start")] =
			s->vals[attr_of(s->op.type, "auto_pay")] = NULL;
}

static bool encode_like(struct dts_call *c, struct setting *s, const char *action,
                        const struct json *p)
{
	enum api_action act = api_find(action);
	bool dest = text_eq(json_str(p, "Endpoint"), "dest");

	wire_input(s, act == API_CREATE_DTS_INSTANCE ? &type_instance : &type_job);
	s->in.instance_id = json_str(p, "DtsInstanceId");
	s->in.job_id = json_str(p, "DtsJobId");
	s->in.reverse = text_eq(json_str(p, "SynchronizationDirection"), "Reverse");
	switch (act) {
	case API_CREATE_DTS_INSTANCE:
		from_request(s, act, p);
		dts_encode(c, &a, DO_BUY, &s->in);
		return true;
	case API_CONFIGURE_DTS_JOB:
		from_request(s, act, p);
		dts_encode(c, &a, DO_CONFIGURE, &s->in);
		return true;
	case API_MODIFY_DTS_JOB:
		s->in.job_id = "j";
		*wire_slot(s, "db_list") =
			json_str(p, "DbList")
				? json_write_dup(&a,
		                                 json_without(&a,
		                                              wire_parse(&a, json_str(p, "DbList")),
		                                              "state"),
		                                 false)
				: NULL;
		*wire_slot(s, "reserve") = json_str(p, "Reserved");
		dts_encode(c, &a, json_str(p, "Reserved") ? DO_RESERVED : DO_OBJECTS, &s->in);
		return true;
	case API_MODIFY_DTS_JOB_NAME:
		*wire_slot(s, "dts_job_name") = json_str(p, "DtsJobName");
		dts_encode(c, &a, DO_RENAME, &s->in);
		return true;
	case API_MODIFY_DTS_JOB_PASSWORD:
		s->in.instance_id = "dtsi";
		*wire_slot(s, dest ? "destination_endpoint_user_name"
		                   : "source_endpoint_user_name") = json_str(p, "UserName");
		*wire_slot(s, dest ? "destination_endpoint_password" : "source_endpoint_password") =
			json_str(p, "Password");
		dts_encode(c, &a, dest ? DO_PASSWORD_DEST : DO_PASSWORD_SRC, &s->in);
		return true;
	case API_MODIFY_DTS_JOB_CONFIG:
		if (text_empty(json_str(p, "Parameters")))
			return false; /* the reference's own mistake: refused by the service */
		*wire_slot(s, "job_parameters") = json_str(p, "Parameters");
		dts_encode(c, &a, DO_PARAMS, &s->in);
		return true;
	case API_TRANSFER_INSTANCE_CLASS:
		*wire_slot(s, "instance_class") = json_str(p, "InstanceClass");
		dts_encode(c, &a, DO_CLASS, &s->in);
		return true;
	case API_START_DTS_JOB:
	case API_SUSPEND_DTS_JOB:
		s->in.instance_id = "dtsi";
		dts_encode(c, &a, act == API_START_DTS_JOB ? DO_START : DO_SUSPEND, &s->in);
		return true;
	case API_DELETE_DTS_JOB:
		dts_encode(c, &a, DO_DELETE, &s->in);
		return true;
	case API_DESCRIBE_DTS_JOB_DETAIL:
		dts_encode_detail(c, &a, "cn-hangzhou", json_str(p, "DtsInstanceID"),
		                  json_str(p, "DtsJobId"), s->in.reverse);
		return true;
	case API_DESCRIBE_DTS_JOB_CONFIG:
		dts_encode_config(c, &a, "cn-hangzhou", json_str(p, "DtsJobId"));
		return true;
	default:
		return false; /* DeleteSynchronizationJob: an older action for what DeleteDtsJob does */
	}
}

static void test_reference(void **state)
{
	static const char *const files[] = {"one-pair", "one-pair-explicit-start",
	                                    "ten-kinds-of-endpoint", "bidirectional",
	                                    "job-parameters"};
	size_t compared[API__COUNT] = {0};

	(void)state;
	for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
		char *text = wire_read(&a,
		                       arena_printf(&a, "reference-requests/%s.jsonl", files[f])),
		     *save = NULL;

		for (char *line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			const struct json *r = wire_parse(&a, line);
			struct setting s;
			struct dts_call c;

			if (!encode_like(&c, &s, json_str(r, "action"), json_get(r, "parameters")))
				continue;
			compare(line, &c, json_get(r, "parameters"));
			compared[c.action]++;
		}
	}
	assert_true(compared[API_CONFIGURE_DTS_JOB] >= 14);
	assert_true(compared[API_CREATE_DTS_INSTANCE] >= 12);
	assert_true(compared[API_MODIFY_DTS_JOB] >= 3 &&
	            compared[API_MODIFY_DTS_JOB_PASSWORD] >= 4);
	assert_true(compared[API_START_DTS_JOB] && compared[API_SUSPEND_DTS_JOB] &&
	            compared[API_DELETE_DTS_JOB] && compared[API_MODIFY_DTS_JOB_CONFIG] &&
	            compared[API_TRANSFER_INSTANCE_CLASS] && compared[API_MODIFY_DTS_JOB_NAME]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reference, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
