/* Money: purchase, class, payment, renewal (dts-api.md 4, 18). */
#include "sim/ops.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/call.h"
#include "sim/fields.h"
#include "sim/scenario.h"
#include "sim/world.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)

/* UsedTime: Month 1-9, Year 1, 2, 3, 5. BuyCount: Month 1-60, Year 1-5. */
static bool duration_valid(const char *period, int64_t n, bool purchase)
{
	if (text_eq(period, "Month"))
		return n >= 1 && n <= (purchase ? 9 : 60);
	return n >= 1 && n <= 5 && !(purchase && n == 4);
}

static int64_t duration_ms(const char *period, int64_t n)
{
	return n * (text_eq(period, "Year") ? 365 : 30) * DAY_MS;
}

static int check_pay(struct call *c, const char *type)
{
	const char *period = arg(c, "Period");

	if (!text_eq(arg(c, "PayType"), "PrePaid")) /* 4: a Period only with PrePaid */
		return period != NULL ? call_bad(c, "Period") : 0;
	if (text_eq(type, "MIGRATION")) /* 3.6: migration is PostPaid only */
		return call_bad(c, "PayType");
	if (period == NULL)
		return call_missing(c, "Period");
	if (arg(c, "UsedTime") == NULL)
		return call_missing(c, "UsedTime");
	if (!duration_valid(period, arg_int(c, "UsedTime", 0), true))
		return call_bad(c, "UsedTime");
	return 0;
}

static int check_shape(struct call *c, const char *type)
{
	const char *cls = arg(c, "InstanceClass");
	bool two_way = text_eq(arg(c, "SyncArchitecture"), "bidirectional");
	int rank = cls_rank(cls);

	if (arg_int(c, "Quantity", 1) != 1)
		return call_bad(c, "Quantity");
	if (arg_int(c, "ComputeUnit", 2) < 2)
		return call_bad(c, "ComputeUnit");
	if (arg_int(c, "Du", 1) < 1 || arg_int(c, "Du", 1) > 100)
		return call_bad(c, "Du");
	if (arg_int(c, "DatabaseCount", 1) < 1)
		return call_bad(c, "DatabaseCount");
	if (arg(c, "ResourceGroupId") != NULL && !text_starts(arg(c, "ResourceGroupId"), "rg-"))
		return call_bad(c, "ResourceGroupId");
	if (arg(c, "FeeType") != NULL && !text_eq(type, "SUBSCRIBE"))
		return call_bad(c, "FeeType");
	if (two_way && !text_eq(type, "SYNC"))
		return call_fail(c, 403, "DTS.Msg.LXCreateOrder.NotFoundPricePlan",
		                 "No price plan was found: only synchronization is bidirectional.");
	if (cls == NULL)
		return 0;
	/*
	 * 18: migration sells small to 2xlarge (old spelling xxlarge), nothing else sells xxlarge.
	 */
	if (text_eq(type, "MIGRATION") ? rank < 1 || rank > 5 : text_eq(cls, "xxlarge"))
		return call_fail(c, 403, "DTS.Msg.LXCreateOrder.NotFoundPricePlan",
		                 "No price plan was found for class %s.", cls);
	return 0;
}

static int check_regions(struct call *c, const char *type)
{
	const char *src = arg(c, "SourceRegion"), *dst = arg(c, "DestinationRegion");

	if (src == NULL)
		return call_missing(c, "SourceRegion");
	if (dst == NULL && !text_eq(type, "SUBSCRIBE"))
		return call_missing(c, "DestinationRegion");
	if (!region_known(src))
		return call_bad(c, "SourceRegion");
	if (dst != NULL && !region_known(dst))
		return call_bad(c, "DestinationRegion");
	if (arg(c, "DtsRegion") != NULL && !text_eq(arg(c, "DtsRegion"), c->region))
		return call_bad(c, "DtsRegion");
	/*
	 * 2: the instance lives in the region of the destination; a subscription in that of its
	 * source.
	 */
	if (!text_eq(text_eq(type, "SUBSCRIBE") ? src : dst, c->region))
		return call_bad(c, "RegionId");
	return 0;
}

static const char *upper_type(struct call *c)
{
	const char *t = arg(c, "Type");

	if (t == NULL)
		return NULL;
	return text_ieq(t, "SYNC") ? "SYNC" : text_ieq(t, "MIGRATION") ? "MIGRATION" : "SUBSCRIBE";
}

static void expire_after(struct call *c, struct instance *i, int64_t ms)
{
	i->expire_wall = c->w->wall_ms + ms;
	i->expire_ms = c->w->now_ms + ms;
}

static void fill_purchase(struct call *c, struct instance *i)
{
	str_set(&i->pay_type, arg(c, "PayType"));
	str_set(&i->cls, arg(c, "InstanceClass") != NULL ? arg(c, "InstanceClass") : "small");
	str_set(&i->group,
	        arg(c, "ResourceGroupId") != NULL ? arg(c, "ResourceGroupId") : "rg-default");
	i->databases = arg_int(c, "DatabaseCount", 1);
	if (text_eq(i->pay_type, "PrePaid"))
		expire_after(c, i, duration_ms(arg(c, "Period"), arg_int(c, "UsedTime", 1)));
	str_set(&c->w->last_purchase, i->id);
}

static void answer_purchase(struct call *c, const struct instance *i, const struct job *j)
{
	put(c, c->out, "InstanceId", i->id);
	put(c, c->out, "JobId", j->id);
	c->effect = true;
	c->instance = arena_strdup(c->a, i->id);
	c->job = arena_strdup(c->a, j->id);
}

/* Flow A: an empty instance; a bidirectional one has two jobs (3.5). */
static int buy_fresh(struct call *c)
{
	struct world *w = c->w;
	const char *type = upper_type(c);
	struct instance *i;
	struct job *j;
	char id[16];

	if (type == NULL)
		return call_missing(c, "Type");
	if (check_regions(c, type) != 0 || check_pay(c, type) != 0 || check_shape(c, type) != 0)
		return -1;
	world_new_id(w, id);
	i = instance_new(w, arena_printf(c->a, "dts%s", id));
	str_set(&i->type, type);
	str_set(&i->region, c->region);
	str_set(&i->src_engine, arg(c, "SourceEndpointEngineName"));
	str_set(&i->src_region, arg(c, "SourceRegion"));
	str_set(&i->dst_engine, arg(c, "DestinationEndpointEngineName"));
	str_set(&i->dst_region, arg(c, "DestinationRegion"));
	if (i->src_engine == NULL)
		str_set(&i->src_engine, "MySQL");
	if (i->dst_engine == NULL)
		str_set(&i->dst_engine, "MySQL");
	str_set(&i->arch,
	        arg(c, "SyncArchitecture") != NULL ? arg(c, "SyncArchitecture") : "oneway");
	fill_purchase(c, i);
	j = job_blank(w, id, i, false);
	answer_purchase(c, i, j);
	if (text_eq(i->arch, "bidirectional")) {
		world_new_id(w, id);
		job_blank(w, id, i, true);
	}
	return 0;
}

/* Flow B: the purchase of one configured job (3.2 B). */
static int buy_for_job(struct call *c)
{
	struct world *w = c->w;
	struct instance *i;
	struct job *j;
	char *id;

	if (find_job_id(c, arg(c, "JobId"), &j) != 0)
		return -1;
	if (check_pay(c, j->type) != 0 || check_shape(c, j->type) != 0)
		return -1;
	if (text_eq(arg(c, "SyncArchitecture"), "bidirectional"))
		return call_bad(c, "SyncArchitecture");
	if (j->instance != NULL) /* two purchases for one job are impossible (9.1) */
		return call_fail(c, 403, "OperationDenied", "The job has been purchased already.");
	if (j->status != ST_PRECHECK_PASS && j->status != ST_NOT_STARTED)
		return call_state(c, "InvalidJobStatus");
	id = arena_printf(c->a, "dts%s", j->id);
	job_touch(w, j);
	i = instance_new(w, id);
	str_set(&i->type, j->type);
	str_set(&i->region, j->region);
	str_set(&i->src_engine, j->src.engine);
	str_set(&i->src_region, j->src.region);
	str_set(&i->dst_engine, j->dst.engine);
	str_set(&i->dst_region, j->dst.region);
	str_set(&i->arch, "oneway");
	fill_purchase(c, i);
	str_set(&i->forward, j->id);
	str_set(&j->instance, id);
	if (arg_true(c, "AutoStart")) {
		if (j->status == ST_PRECHECK_PASS)
			job_start_modules(w, j, true);
		else
			job_start_precheck(w, j, true);
	}
	answer_purchase(c, i, j);
	return 0;
}

int op_create(struct call *c)
{
	return arg(c, "JobId") != NULL ? buy_for_job(c) : buy_fresh(c);
}

/* The instance behind DtsJobId, for calls that order something for it. */
static int find_ordered(struct call *c, struct job **j, struct instance **i)
{
	if (find_job_id(c, arg(c, "DtsJobId"), j) != 0)
		return -1;
	*i = job_instance(c->w, *j);
	return *i != NULL ? 0 : call_state(c, "DTS.Msg.OperationDenied.NotPurchased");
}

static void answer_order(struct call *c, const struct instance *i, const struct job *j,
                         const char *charge)
{
	put(c, c->out, "InstanceId", i->id);
	put(c, c->out, "DtsJobId", j->id);
	put(c, c->out, "ChargeType", charge);
	put_time(c, c->out, "EndTime", i->expire_wall);
	c->effect = true;
}

int op_transfer_class(struct call *c)
{
	const char *cls = arg(c, "InstanceClass");
	struct instance *i;
	struct job *j;

	if (!text_eq(arg(c, "OrderType"), "UPGRADE"))
		return call_bad(c, "OrderType");
	if (find_ordered(c, &j, &i) != 0)
		return -1;
	if (i->pending_cls != NULL)
		return call_state(c, "InvalidJobStatus");
	if (cls_rank(cls) <= cls_rank(i->cls)) /* provider PR 10173 */
		return call_fail(
			c, 403, "NoPermission",
			"You are not authorized to do this action: the class must be higher "
			"than %s.",
			i->cls);
	if (text_eq(i->type, "MIGRATION") ? cls_rank(cls) > 5 : text_eq(cls, "xxlarge")) /* 18 */
		return call_bad(c, "InstanceClass");
	if (j->status == ST_MODIFYING)
		return call_state(c, "DTS.Msg.OperationDenied.JobStatusModifying");
	if (!job_running(j))
		return call_state(c, "InvalidJobStatus");
	job_touch(c->w, j);
	str_set(&i->pending_cls, cls);
	job_set_status(c->w, j, ST_UPGRADE);
	job_queue(c->w, j, job_run_status(j), c->w->sc->upgrade_ms);
	answer_order(c, i, j, text_eq(i->pay_type, "PrePaid") ? "PREPAY" : "POSTPAY");
	return 0;
}

int op_transfer_pay(struct call *c)
{
	const char *to = arg(c, "ChargeType"), *count = arg(c, "BuyCount");
	const char *period = arg(c, "Period") != NULL ? arg(c, "Period") : "Month";
	struct instance *i;
	struct job *j;
	int64_t n = 0;

	if (arg(c, "MinDu") != NULL || arg(c, "MaxDu") != NULL) /* "not supported" */
		return call_bad(c, arg(c, "MinDu") != NULL ? "MinDu" : "MaxDu");
	if (find_ordered(c, &j, &i) != 0)
		return -1;
	if (text_eq(i->type, "MIGRATION"))
		return call_state(c, "UnSupportedTaskType");
	if (text_eq(i->pay_type, to))
		return call_bad(c, "ChargeType");
	if (j->status == ST_LOCKED) /* what expired is renewed, or it goes */
		return call_state(c, "InvalidJobStatus");
	if (text_eq(to, "PrePaid")) {
		if (count == NULL)
			return call_missing(c, "BuyCount");
		if (!text_int(count, 1, 60, &n) || !duration_valid(period, n, false))
			return call_bad(c, "BuyCount");
	}
	job_touch(c->w, j);
	str_set(&i->pay_type, to);
	i->expire_wall = i->expire_ms = 0;
	if (text_eq(to, "PrePaid"))
		expire_after(c, i, duration_ms(period, n));
	answer_order(c, i, j, to);
	return 0;
}

int op_renew(struct call *c)
{
	const char *count = arg(c, "BuyCount") != NULL ? arg(c, "BuyCount") : "1";
	const char *period = arg(c, "Period") != NULL ? arg(c, "Period") : "Month";
	struct instance *i;
	struct job *j;
	int64_t n;

	if (find_ordered(c, &j, &i) != 0)
		return -1;
	if (!text_int(count, 1, 60, &n) || !duration_valid(period, n, false))
		return call_bad(c, "BuyCount");
	if (!text_eq(i->pay_type, "PrePaid"))
		return call_bad(c, "ChargeType");
	job_touch(c->w, j);
	if (i->expire_ms == 0) { /* a world made by hand */
		expire_after(c, i, duration_ms(period, n));
	} else {
		i->expire_wall += duration_ms(period, n);
		i->expire_ms += duration_ms(period, n);
	}
	answer_order(c, i, j, "PREPAY");
	return 0;
}

/* MySQL to MySQL, one-way, Synchronizing, PostPaid (3.3). */
int op_upgrade_two_way(struct call *c)
{
	struct instance *i;
	struct job *j;
	char id[16];

	if (find_instance(c, arg(c, "InstanceId"), &i) != 0)
		return -1;
	j = instance_job(c->w, i, false);
	if (j == NULL)
		return call_gone(c);
	if (text_eq(i->arch, "bidirectional"))
		return call_fail(c, 403, "OperationDenied",
		                 "The instance is bidirectional already.");
	if (!text_ieq(i->src_engine, "MySQL") || !text_ieq(i->dst_engine, "MySQL") ||
	    !text_eq(i->type, "SYNC"))
		return call_state(c, "UnSupportedTaskType");
	if (!text_eq(i->pay_type, "PostPaid"))
		return call_fail(c, 403, "OperationDenied",
		                 "A PrePaid instance cannot be upgraded.");
	if (j->status != ST_SYNCHRONIZING)
		return call_state(c, "InvalidJobStatus");
	if (cls_rank(arg(c, "InstanceClass")) < cls_rank(i->cls)) /* 3.6: only by ticket */
		return call_fail(c, 403, "NoPermission",
		                 "You are not authorized to do this action: the class must not be "
		                 "lower than %s.",
		                 i->cls);
	job_touch(c->w, j);
	if (!text_eq(arg(c, "InstanceClass"), i->cls))
		str_set(&i->pending_cls, arg(c, "InstanceClass"));
	str_set(&i->arch, "bidirectional");
	world_new_id(c->w, id);
	job_blank(c->w, id, i, true);
	job_set_status(c->w, j, ST_UPGRADE);
	job_queue(c->w, j, ST_SYNCHRONIZING, c->w->sc->upgrade_ms);
	c->effect = true;
	return 0;
}

int op_convert_group(struct call *c)
{
	struct instance *i;
	struct job *j;

	if (find_instance(c, arg(c, "ResourceId"), &i) != 0)
		return -1;
	if (!text_starts(arg(c, "NewResourceGroupId"), "rg-"))
		return call_bad(c, "NewResourceGroupId");
	j = instance_job(c->w, i, false);
	if (j != NULL)
		job_touch(c->w, j);
	str_set(&i->group, arg(c, "NewResourceGroupId"));
	c->effect = true;
	return 0;
}
