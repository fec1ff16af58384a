/* The planner, from manifest text, records and service rows to operations. No file, clock or network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/text.h"
#include "model/batch.h"
#include "model/guard.h"
#include "model/plan.h"

static struct arena A;
static const uint8_t KEY[32] = {7};

struct world {
	struct manifest m;
	struct batch b;
	struct diag d;
	struct plan p;
	struct inventory inv;
	struct record_list recs;
	const struct record *rec[16];
	struct plan_opts o;
};

static const char *no_env(void *ctx, const char *name)
{
	(void)ctx;
	return text_eq(name, "PW") ? "secret-text" : NULL;
}

static int no_read(void *ctx, const char *file, const char *path, bool cred, struct buf *out,
                   struct err *e)
{
	(void)ctx;
	(void)file;
	(void)cred;
	(void)out;
	return err_set(e, ERR_MANIFEST, "no file %s", path);
}

#define HEAD "[dtsbatch]\nregion = cn-hangzhou\n"
#define INSTANCE(name)                                                                             \
	"[synchronization_instance." name "]\n"                                                    \
	"payment_type = PayAsYouGo\nsource_endpoint_engine_name = MySQL\n"                         \
	"source_endpoint_region = ${region}\ndestination_endpoint_engine_name = MySQL\n"           \
	"destination_endpoint_region = ${region}\ninstance_class = small\nsync_architecture = oneway\n"
#define JOB(name, extra)                                                                           \
	"[synchronization_job." name "]\n"                                                         \
	"dts_instance_id = ${synchronization_instance." name ".id}\n"                              \
	"dts_job_name = " name "\nsource_endpoint_instance_type = RDS\n"                           \
	"source_endpoint_instance_id = rm-a\nsource_endpoint_engine_name = MySQL\n"                \
	"source_endpoint_region = ${region}\nsource_endpoint_user_name = u\n"                      \
	"source_endpoint_password = ${env:PW}\ndestination_endpoint_instance_type = RDS\n"         \
	"destination_endpoint_instance_id = rm-b\ndestination_endpoint_engine_name = MySQL\n"      \
	"destination_endpoint_region = ${region}\ndestination_endpoint_user_name = u\n"            \
	"destination_endpoint_password = ${env:PW}\nstructure_initialization = true\n"             \
	"data_initialization = true\ndata_synchronization = true\nstatus = Synchronizing\n"        \
	"db_list = {\"shop\": {\"name\": \"shop\", \"all\": true}}\n" extra
#define PAIR(name, extra) INSTANCE(name) JOB(name, extra)

static void build(struct world *w, const char *text)
{
	struct inputs in = {.env = no_env, .read = no_read};
	struct batch_opts bo = {.in = &in};

	memset(w, 0, sizeof *w);
	manifest_init(&w->m, &A);
	diag_init(&w->d, &A);
	manifest_parse(&w->m, "t.ini", text, strlen(text), &w->d);
	batch_build(&w->b, &A, &w->m, &bo, &w->d);
	for (size_t i = 0; i < w->d.n; i++)
		if (w->d.v[i].level == DIAG_ERROR)
			fail_msg("%u: %s", w->d.v[i].pos.line, w->d.v[i].msg);
	inventory_init(&w->inv, &A);
	w->inv.complete = true;
	w->recs.v = w->rec;
	w->o = (struct plan_opts){.refresh = true, .fp_key = KEY, .now_ms = 1000000};
}

static const char *no_ids(void *ctx, uint32_t r, enum computed what)
{
	(void)ctx;
	(void)r;
	(void)what;
	return "dtsone";
}

/* A record as a finished apply of the section leaves it. */
static struct record *record(struct world *w, const char *address, const char *instance,
                             const char *job)
{
	uint32_t k = map_get(&w->b.by_address, address);
	const struct type_def *t =
		text_starts(address, "synchronization_job") ? &type_job : &type_instance;
	struct record *r = record_new(&A, address, t);

	r->instance_id = instance;
	r->job_id = job;
	r->id = t == &type_job ? job : instance;
	r->step = STEP_DONE;
	if (k != MAP_NONE) {
		plan_applied(&A, &w->b, &w->b.v[k], KEY, no_ids, NULL, r->attrs);
		r->ndeps = w->b.v[k].ndeps;
		r->deps = arena_array(&A, const char *, r->ndeps + 1);
		for (size_t i = 0; i < r->ndeps; i++)
			r->deps[i] = w->b.v[w->b.v[k].deps[i]].address;
	}
	w->rec[w->recs.n++] = r;
	return r;
}

static void row(struct world *w, const char *instance, const char *job, const char *name,
                const char *status, const char *more)
{
	char *t = arena_printf(
		&A,
		"{\"DtsInstanceID\":\"%s\",\"DtsJobId\":\"%s\",\"DtsJobName\":\"%s\",\"Status\":\"%s\",\"DtsJobClass\":\"small\","
		"\"PayType\":\"PostPaid\",\"SourceEndpoint\":{\"EngineName\":\"MySQL\",\"Region\":\"cn-hangzhou\",\"InstanceType\":"
		"\"RDS\",\"InstanceID\":\"rm-a\",\"UserName\":\"u\"},\"DestinationEndpoint\":{\"EngineName\":\"MYSQL\",\"Region\":"
		"\"cn-hangzhou\",\"InstanceType\":\"RDS\",\"InstanceID\":\"rm-b\",\"UserName\":\"u\"},\"MigrationMode\":{"
		"\"DataInitialization\":true,\"DataSynchronization\":true,\"StructureInitialization\":true}%s}",
		instance, job, name, status, more);
	struct json_err je;
	struct json *j = json_parse(&A, t, strlen(t), &je);

	if (!j)
		fail_msg("row: %s in %s", je.msg, t);
	inventory_add_row(&w->inv, j);
}

#define SHOP                                                                                       \
	",\"DbObject\":\"{\\\"shop\\\":{\\\"all\\\":true,\\\"name\\\":\\\"shop\\\",\\\"state\\\":\\\"normal\\\"}}\""

static void make(struct world *w)
{
	plan_make(&w->p, &A, &w->b, &w->recs, &w->inv, &w->o, &w->d);
}

static const struct op *op_at(const struct world *w, const char *address)
{
	for (size_t i = 0; i < w->p.n; i++)
		if (text_eq(w->p.ops[i].address, address))
			return &w->p.ops[i];
	fail_msg("no op for %s", address);
	return NULL;
}

static const char *steps(const struct op *op)
{
	const char *s = "";

	for (unsigned i = 0; i < op->nsteps; i++)
		s = arena_printf(&A, "%s%s%s", s, i ? ", " : "", step_def(op->steps[i])->verb);
	return s;
}

static bool after(const struct world *w, const char *later, const char *earlier)
{
	uint32_t l = (uint32_t)(op_at(w, later) - w->p.ops),
		 e = (uint32_t)(op_at(w, earlier) - w->p.ops);

	for (uint32_t i = w->p.graph.out_at[l]; i < w->p.graph.out_at[l + 1]; i++)
		if (w->p.graph.out[i] == e)
			return true;
	return false;
}

static void pair_seen(struct world *w, const char *text, const char *name, const char *status,
                      const char *more)
{
	build(w, text);
	record(w, "synchronization_instance.a", "dtsone", "one");
	record(w, "synchronization_job.a", "dtsone", "one");
	row(w, "dtsone", "one", name, status, more);
	make(w);
}

static const char *replaced(const char *text, const char *from, const char *to)
{
	const char *p = strstr(text, from);

	assert_non_null(p);
	return arena_printf(&A, "%.*s%s%s", (int)(p - text), text, to, p + strlen(from));
}

static bool noted(const struct op *op, const char *text)
{
	for (size_t i = 0; i < op->nnotes; i++)
		if (strstr(op->notes[i], text))
			return true;
	return false;
}

static void creates_a_pair(void **s)
{
	struct world w;

	(void)s;
	build(&w, HEAD PAIR("a", ""));
	make(&w);
	assert_int_equal(w.p.count[OP_CREATE], 2);
	assert_string_equal(steps(op_at(&w, "synchronization_instance.a")), "buy");
	assert_string_equal(steps(op_at(&w, "synchronization_job.a")), "configure, wait");
	assert_true(after(&w, "synchronization_job.a", "synchronization_instance.a"));
	assert_true(op_at(&w, "synchronization_instance.a")->impact & IMPACT_PAYS);
}

static void converged_is_noop(void **s)
{
	struct world w;

	(void)s;
	pair_seen(&w, HEAD PAIR("a", ""), "a", "Synchronizing", SHOP);
	for (size_t i = 0; i < w.p.n; i++)
		for (size_t k = 0; k < w.p.ops[i].nchanges; k++)
			fail_msg("%s: %s %s -> %s", w.p.ops[i].address,
			         w.p.ops[i].type->attrs[w.p.ops[i].changes[k].attr].key,
			         w.p.ops[i].changes[k].from, w.p.ops[i].changes[k].to);
	assert_int_equal(w.p.count[OP_NOOP], 2);
	/* Initializing counts as Synchronizing */
	pair_seen(&w, HEAD PAIR("a", ""), "a", "Initializing", SHOP);
	assert_int_equal(w.p.count[OP_NOOP], 2);
}

static void changes_go_in_place(void **s)
{
	struct world w;

	(void)s;
	pair_seen(&w, HEAD PAIR("a", ""), "other", "Suspending",
	          ",\"DbObject\":\"{\\\"crm\\\":{\\\"all\\\":true,\\\"name\\\":\\\"crm\\\"}}\"");
	assert_int_equal(op_at(&w, "synchronization_job.a")->kind, OP_UPDATE);
	assert_string_equal(steps(op_at(&w, "synchronization_job.a")),
	                    "rename, start, change objects");
	assert_true(op_at(&w, "synchronization_job.a")->changes[0].behind);
}

static void secret_rotation(void **s)
{
	struct world w;
	struct record *r;

	(void)s;
	build(&w, HEAD PAIR("a", ""));
	record(&w, "synchronization_instance.a", "dtsone", "one");
	r = record(&w, "synchronization_job.a", "dtsone", "one");
	r->attrs[attr_of(&type_job, "source_endpoint_password")] =
		plan_fingerprint(&A, KEY, "older");
	row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
	make(&w);
	assert_string_equal(steps(op_at(&w, "synchronization_job.a")), "change source password");
	assert_string_equal(op_at(&w, "synchronization_job.a")->changes[0].to, "(secret)");
	/* without a key nothing can be said, and nothing is sent */
	w.o.fp_key = NULL;
	r->attrs[attr_of(&type_job, "source_endpoint_password")] = NULL;
	make(&w);
	assert_int_equal(op_at(&w, "synchronization_job.a")->nsteps, 0);
}

/* What the service does not show and no apply has recorded was never sent. */
static void what_was_never_applied_is_a_change(void **s)
{
	size_t pw = attr_of(&type_job, "destination_endpoint_password");
	const char *text = HEAD PAIR("a", "source_endpoint_vswitch_id = vsw-1\n");
	const struct op *op;
	struct world w;
	struct record *r;

	(void)s;
	build(&w, text);
	record(&w, "synchronization_instance.a", "dtsone", "one");
	r = record(&w, "synchronization_job.a", "dtsone", "one");
	row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
	r->attrs[pw] = NULL;
	make(&w);
	op = op_at(&w, "synchronization_job.a");
	assert_string_equal(steps(op), "change destination password");
	assert_null(op->changes[0].from);
	assert_string_equal(op->changes[0].to, "(secret)");
	/* one was applied, but its fingerprint is lost: nothing can be said */
	r->attrs[pw] = FP_MARK;
	make(&w);
	assert_int_equal(w.p.count[OP_NOOP], 2);
	r->attrs[attr_of(&type_job, "source_endpoint_vswitch_id")] = NULL;
	make(&w);
	op = op_at(&w, "synchronization_job.a");
	assert_int_equal(op->kind, OP_REPLACE);
	assert_non_null(strstr(op->refused, "source_endpoint_vswitch_id"));
	/* a record that recovery made of an answer knows no attribute: nothing follows from that */
	memset(r->attrs, 0, type_job.nattrs * sizeof *r->attrs);
	make(&w);
	assert_int_equal(op_at(&w, "synchronization_job.a")->kind, OP_NOOP);
	/* an import takes the section's word for what cannot be read */
	build(&w, HEAD INSTANCE("a") "import_id = dtsone\n" JOB(
			  "a", "import_id = one\n"
			       "source_endpoint_vswitch_id = vsw-1\n"));
	row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
	make(&w);
	assert_int_equal(op_at(&w, "synchronization_job.a")->nchanges, 0);
}

static void a_subscription_takes_its_length_along(void **s)
{
	size_t type = attr_of(&type_instance, "payment_type"),
	       length = attr_of(&type_instance, "payment_duration"),
	       unit = attr_of(&type_instance, "payment_duration_unit");
	char *text = arena_strdup(&A, HEAD PAIR("a", "")), *p = strstr(text, "PayAsYouGo\n");
	const struct op *op;
	struct world w;

	(void)s;
	text = arena_printf(
		&A,
		"%.*sSubscription\npayment_duration = 1\npayment_duration_unit = Month\nauto_pay = true%s",
		(int)(p - text), text, p + strlen("PayAsYouGo"));
	build(&w, text);
	record(&w, "synchronization_instance.a", "dtsone", "one");
	record(&w, "synchronization_job.a", "dtsone", "one");
	row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
	w.rec[0]->attrs[type] = "PayAsYouGo";
	w.rec[0]->attrs[length] = w.rec[0]->attrs[unit] = NULL;
	w.rec[0]->attrs[attr_of(&type_instance, "auto_pay")] = NULL;
	make(&w);
	op = op_at(&w, "synchronization_instance.a");
	assert_string_equal(steps(op), "change payment");
	assert_int_equal(op->nchanges, 4);
	for (size_t i = 0; i < op->nchanges; i++)
		if (op->changes[i].attr != type)
			assert_string_equal(op->changes[i].note, "sent with payment_type");
}

static void replacement_needs_leave(void **s)
{
	static const char *const prepaid[] = {"synchronization_instance.a"};
	struct world w;

	(void)s;
	build(&w, HEAD PAIR("a", ""));
	record(&w, "synchronization_instance.a", "dtsone", "one");
	record(&w, "synchronization_job.a", "dtsone", "one");
	row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
	w.rec[1]->attrs[attr_of(&type_job, "checkpoint")] = NULL;
	build(&w, HEAD PAIR("a", "source_endpoint_oracle_sid = X\n"));
	record(&w, "synchronization_instance.a", "dtsone", "one");
	((struct record *)record(&w, "synchronization_job.a", "dtsone", "one"))
		->attrs[attr_of(&type_job, "source_endpoint_oracle_sid")] = "Y";
	row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
	make(&w);
	assert_int_equal(op_at(&w, "synchronization_job.a")->kind, OP_REPLACE);
	assert_non_null(op_at(&w, "synchronization_job.a")->refused);
	assert_non_null(strstr(op_at(&w, "synchronization_job.a")->refused, "replace = allowed"));
	build(&w, HEAD PAIR("a", "source_endpoint_oracle_sid = X\nreplace = allowed\n"));
	record(&w, "synchronization_instance.a", "dtsone", "one");
	record(&w, "synchronization_job.a", "dtsone", "one")
		->attrs[attr_of(&type_job, "source_endpoint_oracle_sid")] = "Y";
	row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
	make(&w);
	assert_null(op_at(&w, "synchronization_job.a")->refused);
	/* the paid instance is kept */
	assert_string_equal(steps(op_at(&w, "synchronization_job.a")),
	                    "verify, reset, configure, wait");
	/* so a subscription is no obstacle; only its own replacement is */
	((struct observed *)w.inv.v[0])->pay_type = "PrePaid";
	make(&w);
	assert_null(op_at(&w, "synchronization_job.a")->refused);
	w.o.replaces = prepaid;
	w.o.nreplaces = 1;
	make(&w);
	assert_int_equal(op_at(&w, "synchronization_instance.a")->kind, OP_REPLACE);
	assert_non_null(strstr(op_at(&w, "synchronization_instance.a")->refused, "prepaid"));
	/* one that never ran is configured once more instead, and needs no leave */
	build(&w, HEAD PAIR("a", "source_endpoint_oracle_sid = X\n"));
	record(&w, "synchronization_instance.a", "dtsone", "one");
	record(&w, "synchronization_job.a", "dtsone", "one")
		->attrs[attr_of(&type_job, "source_endpoint_oracle_sid")] = "Y";
	row(&w, "dtsone", "one", "a", "NotStarted", SHOP);
	make(&w);
	assert_null(op_at(&w, "synchronization_job.a")->refused);
	assert_string_equal(steps(op_at(&w, "synchronization_job.a")), "configure, wait");
}

static void deletions(void **s)
{
	struct world w;

	(void)s;
	/* both sections gone: orphans first, then with prune one call releases both */
	pair_seen(&w, HEAD PAIR("b", ""), "a", "Synchronizing", SHOP);
	assert_int_equal(w.p.norphans, 2);
	build(&w, HEAD PAIR("a", ""));
	record(&w, "synchronization_instance.a", "dtsone", "one");
	record(&w, "synchronization_job.a", "dtsone", "one");
	row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
	w.o.destroy = true;
	make(&w);
	assert_int_equal(w.p.count[OP_DELETE], 2);
	assert_string_equal(steps(op_at(&w, "synchronization_job.a")),
	                    "verify, delete, wait for release");
	assert_string_equal(steps(op_at(&w, "synchronization_instance.a")), "wait for release");
	assert_true(after(&w, "synchronization_instance.a", "synchronization_job.a"));
	assert_int_equal(w.p.impact[6], 1);
	/* only the job goes: the instance is emptied */
	build(&w, HEAD INSTANCE("a"));
	record(&w, "synchronization_instance.a", "dtsone", "one");
	record(&w, "synchronization_job.a", "dtsone", "one");
	((struct record *)w.rec[1])->deps = arena_array(&A, const char *, 1);
	w.rec[1]->deps[0] = "synchronization_instance.a";
	((struct record *)w.rec[1])->ndeps = 1;
	row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
	w.o.prune = true;
	make(&w);
	assert_string_equal(steps(op_at(&w, "synchronization_job.a")), "verify, reset");
	/* protected */
	((struct record *)w.rec[1])->protect = true;
	make(&w);
	assert_non_null(op_at(&w, "synchronization_job.a")->refused);
}

#define REVERSE                                                                                       \
	",\"DtsJobDirection\":\"Forward\",\"ReverseJob\":{\"DtsInstanceID\":\"dtsone\",\"DtsJobId\":" \
	"\"two\",\"DtsJobName\":\"b\",\"Status\":\"Synchronizing\",\"PayType\":\"PostPaid\"}"

/* An instance is paid once, by what buys it, and ends once, with what releases it. */
static void money_is_counted_once(void **s)
{
	static const char *const jobs[] = {"synchronization_job.*"};
	size_t dir = attr_of(&type_job, "synchronization_direction");
	char *text = arena_strdup(&A, HEAD PAIR("a", "") JOB("b", "")), *p;
	struct record *r;
	struct world w;

	(void)s;
	while ((p = strstr(text, "${synchronization_instance.b.id}")))
		p[strlen("${synchronization_instance.")] = 'a';
	p = strstr(text, "sync_architecture = oneway");
	text = arena_printf(&A, "%.*ssync_architecture = bidirectional%s", (int)(p - text), text,
	                    p + strlen("sync_architecture = oneway"));
	p = strstr(text, "[synchronization_job.b]");
	text = arena_printf(
		&A,
		"%.*ssynchronization_direction = Forward\n%ssynchronization_direction = Reverse\n",
		(int)(p - text), text, p);
	build(&w, text);
	make(&w);
	assert_int_equal(w.p.impact[5], 1);
	record(&w, "synchronization_instance.a", "dtsone", "one");
	record(&w, "synchronization_job.a", "dtsone", "one");
	r = record(&w, "synchronization_job.b", "dtsone", "two");
	assert_string_equal(r->attrs[dir], "Reverse");
	row(&w, "dtsone", "one", "a", "Synchronizing", SHOP REVERSE);
	w.o.destroy = true;
	make(&w);
	assert_int_equal(w.p.count[OP_DELETE], 3);
	assert_int_equal(w.p.impact[6], 1);
	assert_true(op_at(&w, "synchronization_instance.a")->impact & IMPACT_STOPS_PAYING);
	/* an instance that this state does not hold ends with its forward job */
	w.recs.v++;
	w.recs.n--;
	make(&w);
	assert_int_equal(w.p.count[OP_DELETE], 2);
	assert_int_equal(w.p.impact[6], 1);
	assert_true(op_at(&w, "synchronization_job.a")->impact & IMPACT_STOPS_PAYING);
	/* what is paid in advance is paid */
	((struct observed *)w.inv.v[0])->pay_type = "PrePaid";
	w.o.targets = jobs;
	w.o.ntargets = 1;
	make(&w);
	assert_false(op_at(&w, "synchronization_job.a")->impact & IMPACT_STOPS_PAYING);
	/* a free job was never bought */
	build(&w, HEAD);
	r = record(&w, "synchronization_job.free", "", "one");
	r->step = STEP_CONFIGURED_FREE;
	row(&w, "", "one", "a~1", "PrecheckFailed", "");
	w.o.destroy = true;
	make(&w);
	assert_int_equal(w.p.count[OP_DELETE], 1);
	assert_int_equal(w.p.impact[6], 0);
	assert_false(noted(op_at(&w, "synchronization_job.free"), "releases"));
}

/* What hangs on a refusal is not counted as if it happened. */
static void refused_is_not_counted(void **s)
{
	char *text = arena_strdup(&A, HEAD PAIR("a", ""));
	const struct op *op;
	struct world w;

	(void)s;
	text = arena_printf(&A, "%s%.*scompute_unit = 4\n%s", HEAD,
	                    (int)(strstr(text, "payment_type") - text - strlen(HEAD)),
	                    text + strlen(HEAD), strstr(text, "payment_type"));
	pair_seen(&w, text, "a", "Synchronizing", SHOP);
	assert_int_equal(w.p.count[OP_NOOP], 2);
	w.rec[0]->attrs[attr_of(&type_instance, "compute_unit")] = "2";
	make(&w);
	assert_non_null(op_at(&w, "synchronization_instance.a")->refused);
	op = op_at(&w, "synchronization_job.a");
	assert_int_equal(op->kind, OP_REPLACE);
	assert_string_equal(op->blocked_by, "synchronization_instance.a");
	assert_int_equal(w.p.refused, 1);
	assert_int_equal(w.p.blocked, 1);
	assert_int_equal(w.p.count[OP_REPLACE], 0);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(w.p.impact[i], 0);
}

static void two_way_needs_pay_as_you_go(void **s)
{
	char *text = arena_strdup(&A, HEAD PAIR("a", "")), *p = strstr(text, "= oneway");
	const struct op *op;
	struct world w;

	(void)s;
	text = arena_printf(&A, "%.*s= bidirectional%s", (int)(p - text), text, p + 8);
	pair_seen(&w, text, "a", "Synchronizing", SHOP);
	w.rec[0]->attrs[attr_of(&type_instance, "sync_architecture")] = "oneway";
	make(&w);
	op = op_at(&w, "synchronization_instance.a");
	assert_string_equal(steps(op), "make two-way");
	assert_null(op->refused);
	/* its payment stays what the service says, for the section says the same */
	p = strstr(text, "PayAsYouGo");
	text = arena_printf(
		&A, "%.*sSubscription\npayment_duration = 1\npayment_duration_unit = Month%s",
		(int)(p - text), text, p + strlen("PayAsYouGo"));
	pair_seen(&w, text, "a", "Synchronizing", SHOP);
	((struct observed *)w.inv.v[0])->pay_type = "PrePaid";
	w.rec[0]->attrs[attr_of(&type_instance, "sync_architecture")] = "oneway";
	make(&w);
	assert_non_null(strstr(op_at(&w, "synchronization_instance.a")->refused, "pay-as-you-go"));
}

/* Nor does the service do it for high classes and other engines (dts-api.md 3.3, 4). */
static void two_way_of_few(void **s)
{
	static const char *const rows[][3] = {
		{"instance_class = small", "instance_class = xlarge", "classes micro to large"},
		{"source_endpoint_engine_name = MySQL", "source_endpoint_engine_name = PolarDB",
	         "MySQL and MySQL"},
	};
	struct world w;

	(void)s;
	for (size_t i = 0; i < 2; i++) {
		char *text = arena_strdup(&A, HEAD PAIR("a", "")), *p;

		for (size_t k = 0; k < 2; k++) {
			const char *from = k ? rows[i][0] : "= oneway",
				   *to = k ? rows[i][1] : "= bidirectional";

			p = strstr(text, from);
			assert_non_null(p);
			text = arena_printf(&A, "%.*s%s%s", (int)(p - text), text, to,
			                    p + strlen(from));
		}
		pair_seen(&w, text, "a", "Synchronizing", SHOP);
		((struct observed *)w.inv.v[0])->cls = "xlarge";
		((struct record *)w.rec[0])->attrs[attr_of(&type_instance, "sync_architecture")] =
			"oneway";
		make(&w);
		assert_non_null(
			strstr(op_at(&w, "synchronization_instance.a")->refused, rows[i][2]));
	}
}

/* An end that moves takes its account along: its password is not set on the old database first. */
static void an_account_moves_with_its_end(void **s)
{
	static const struct {
		const char *type, *more, *steps, *refused;
	} rows[] = {
		{"RDS", "endpoint_change = same-data\n", "move source endpoint", NULL},
		{"DISTRIBUTED_DMSLOGICDB", "endpoint_change = same-data\n", "",
	         "no source of this type in place"},
	};
	struct world w;

	(void)s;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *text = HEAD PAIR("a", "");
		struct record *r;
		const struct op *op;

		text = replaced(text, "source_endpoint_instance_id = rm-a",
		                "source_endpoint_instance_id = rm-new");
		text = replaced(
			text, "source_endpoint_instance_type = RDS",
			arena_printf(&A, "source_endpoint_instance_type = %s", rows[i].type));
		build(&w, arena_printf(&A, "%s%s", text, rows[i].more));
		record(&w, "synchronization_instance.a", "dtsone", "one");
		r = record(&w, "synchronization_job.a", "dtsone", "one");
		r->attrs[attr_of(&type_job, "source_endpoint_password")] =
			plan_fingerprint(&A, KEY, "older");
		row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
		make(&w);
		op = op_at(&w, "synchronization_job.a");
		if (!rows[i].refused)
			assert_string_equal(steps(op), rows[i].steps);
		if (rows[i].refused ? !op->refused || !strstr(op->refused, rows[i].refused)
		                    : op->refused != NULL)
			fail_msg("%s: %s", rows[i].type, op->refused ? op->refused : "not refused");
	}
}

/* A Reverse job on an instance that the manifest only names: it must be two-way. */
static void reverse_needs_two_way(void **s)
{
	const char *text = HEAD JOB("a", "synchronization_direction = Reverse\n");
	struct world w;

	(void)s;
	text = replaced(text, "${synchronization_instance.a.id}", "dtsone");
	for (int two = 0; two < 2; two++) {
		const char *refused;

		build(&w, text);
		row(&w, "dtsone", "one", "other", "Synchronizing", SHOP);
		((struct observed *)w.inv.v[0])->two_way = two;
		make(&w);
		refused = op_at(&w, "synchronization_job.a")->refused;
		assert_true(two ? !refused : refused && strstr(refused, "dtsone is one-way"));
	}
}

/* The class decides the price: also when it is the default. */
static void a_class_by_default_is_said(void **s)
{
	struct world w;

	(void)s;
	build(&w, HEAD PAIR("a", ""));
	make(&w);
	assert_false(noted(op_at(&w, "synchronization_instance.a"), "is bought"));
	build(&w, replaced(HEAD PAIR("a", ""), "instance_class = small\n", ""));
	make(&w);
	assert_true(noted(op_at(&w, "synchronization_instance.a"),
	                  "instance_class is not set: small is bought"));
}

/* It is one-way when nothing is said, at the purchase and in the record. */
static void two_way_may_be_said_later(void **s)
{
	char *text = arena_strdup(&A, HEAD PAIR("a", "")), *p = strstr(text, "= oneway");
	struct world w;

	(void)s;
	pair_seen(&w, text, "a", "Synchronizing", SHOP);
	((struct record *)w.rec[0])->attrs[attr_of(&type_instance, "sync_architecture")] = NULL;
	make(&w); /* to say what is so already changes nothing */
	assert_int_equal(op_at(&w, "synchronization_instance.a")->kind, OP_NOOP);
	text = arena_printf(&A, "%.*s= bidirectional%s", (int)(p - text), text, p + 8);
	pair_seen(&w, text, "a", "Synchronizing", SHOP);
	((struct record *)w.rec[0])->attrs[attr_of(&type_instance, "sync_architecture")] = NULL;
	make(&w);
	assert_string_equal(steps(op_at(&w, "synchronization_instance.a")), "make two-way");
}

static void protection_is_shown(void **s)
{
	struct world w;

	(void)s;
	pair_seen(&w, HEAD PAIR("a", "protect = true\n"), "a", "Synchronizing", SHOP);
	assert_int_equal(op_at(&w, "synchronization_job.a")->protect, PROTECT_ON);
	pair_seen(&w, HEAD PAIR("a", ""), "a", "Synchronizing", SHOP);
	((struct record *)w.rec[1])->protect = true;
	make(&w);
	assert_int_equal(op_at(&w, "synchronization_job.a")->kind, OP_UPDATE);
	assert_int_equal(op_at(&w, "synchronization_job.a")->protect, PROTECT_OFF);
}

/* A key of its own overrides the member of reserve, in what is compared as in what is sent. */
static void ssl_overrides_reserve(void **s)
{
	const char *more = SHOP ",\"Reserved\":\"{\\\"srcSSL\\\":\\\"1\\\",\\\"x\\\":\\\"1\\\"}\"";
	struct record *r;
	struct world w;

	(void)s;
	pair_seen(&w,
	          HEAD PAIR("a",
	                    "source_endpoint_ssl = 1\nreserve = {\"srcSSL\":\"0\",\"x\":\"1\"}\n"),
	          "a", "Synchronizing", more);
	r = (struct record *)(uintptr_t)w.rec[1];
	assert_int_equal(w.p.count[OP_NOOP], 2);
	/* moved from the one to the other: nothing was taken out */
	r->attrs[attr_of(&type_job, "reserve")] = "{\"srcSSL\":\"1\",\"x\":\"1\"}";
	make(&w);
	assert_int_equal(w.p.count[OP_NOOP], 2);
	pair_seen(&w, HEAD PAIR("a", "source_endpoint_ssl = 1\nreserve = {\"srcSSL\":\"0\"}\n"),
	          "a", "Synchronizing", SHOP);
	assert_int_equal(w.p.count[OP_NOOP], 2);
}

/* An alarm is sent whole, so it is shown whole. */
static void an_alarm_is_shown_whole(void **s)
{
	const char *rules = "{\"MonitorRules\":[]}";
	const struct op *op;
	struct record *r;
	struct world w;

	(void)s;
	pair_seen(&w,
	          HEAD PAIR("a", "delay_notice = true\ndelay_rule_time = 60\n"
	                         "delay_phone = 13800000001, 13800000002\n"),
	          "a", "Synchronizing", SHOP);
	r = (struct record *)(uintptr_t)w.rec[1];
	((struct observed *)w.inv.v[0])->monitor = json_parse(&A, rules, strlen(rules), NULL);
	r->attrs[attr_of(&type_job, "delay_notice")] = "false";
	make(&w);
	op = op_at(&w, "synchronization_job.a");
	assert_string_equal(steps(op), "set delay alarm");
	assert_int_equal(op->nchanges, 3);
	assert_string_equal(type_job.attrs[op->changes[0].attr].key, "delay_notice");
	assert_string_equal(type_job.attrs[op->changes[1].attr].key, "delay_phone");
	assert_string_equal(op->changes[1].to, "13800000001,13800000002");
	assert_string_equal(type_job.attrs[op->changes[2].attr].key, "delay_rule_time");
	/* the order of the numbers says nothing */
	rules = "{\"MonitorRules\":[{\"Type\":\"delay\",\"State\":\"Y\",\"DelayRuleTime\":60,"
		"\"Phone\":\"13800000002,13800000001\"}]}";
	((struct observed *)w.inv.v[0])->monitor = json_parse(&A, rules, strlen(rules), NULL);
	make(&w);
	assert_int_equal(w.p.count[OP_NOOP], 2);
}

/* Tags by member: those of others are neither shown nor touched. */
static void tags_by_member(void **s)
{
	size_t tags = attr_of(&type_instance, "tags");
	char *text = arena_strdup(&A, HEAD PAIR("a", "")), *p = strstr(text, "payment_type");
	const struct change *c;
	struct world w;

	(void)s;
	text = arena_printf(&A, "%.*stags = keep=1, new=1, other=2\n%s", (int)(p - text), text, p);
	build(&w, text);
	record(&w, "synchronization_instance.a", "dtsone", "one")->attrs[tags] =
		"{\"gone\":\"1\",\"keep\":\"1\",\"other\":\"1\"}";
	record(&w, "synchronization_job.a", "dtsone", "one");
	row(&w, "dtsone", "one", "a", "Synchronizing",
	    SHOP
	    ",\"TagList\":[{\"TagKey\":\"gone\",\"TagValue\":\"1\"},{\"TagKey\":\"keep\",\"TagValue\":\"1\"},"
	    "{\"TagKey\":\"other\",\"TagValue\":\"1\"},{\"TagKey\":\"theirs\",\"TagValue\":\"1\"}]");
	make(&w);
	assert_string_equal(steps(op_at(&w, "synchronization_instance.a")),
	                    "set tags, remove tags");
	c = op_at(&w, "synchronization_instance.a")->changes;
	assert_string_equal(attr_json_diff(&A, &type_instance.attrs[tags], c->from, c->to, 9),
	                    "+ new: \"1\"\n~ other: \"1\" -> \"2\"\n- gone");
}

static void gone_and_guard(void **s)
{
	struct world w;
	struct err e = {0};
	struct guard_opts g = {.max_changes = -1, .max_deletes = -1, .max_gone = -1};

	(void)s;
	build(&w, HEAD PAIR("a", "") PAIR("b", ""));
	record(&w, "synchronization_instance.a", "dtsone", "one");
	record(&w, "synchronization_instance.b", "dtstwo", "two");
	record(&w, "synchronization_job.a", "dtsone", "one");
	record(&w, "synchronization_job.b", "dtstwo", "two");
	make(&w);
	assert_int_equal(w.p.gone, 4);
	assert_int_equal(w.p.count[OP_CREATE], 4);
	assert_int_equal(guard_check(&w.p, &g, &e), -1);
	assert_int_equal(e.code, ERR_DECISION);
	g.looked = true;
	assert_int_equal(guard_check(&w.p, &g, &e), 0);
	g.looked = false;
	g.max_gone = 4;
	assert_int_equal(guard_check(&w.p, &g, &e), 0);
	/* an incomplete inventory proves nothing */
	w.inv.complete = false;
	make(&w);
	assert_int_equal(w.p.gone, 0);
}

/* on_gone = forget: known to be gone is no news, offline too; its section removed, the record goes without --prune. */
static void gone_for_good(void **s)
{
	struct world w;
	struct guard_opts g = {.max_changes = -1, .max_deletes = -1, .max_gone = -1};
	struct err e = {0};
	struct record *inst, *job;
	const struct op *op;

	(void)s;
	build(&w, HEAD INSTANCE("a") "on_gone = forget\n" JOB("a", "on_gone = forget\n"));
	inst = record(&w, "synchronization_instance.a", "dtsone", "one");
	job = record(&w, "synchronization_job.a", "dtsone", "one");
	job->file = "gone.ini";
	make(&w);
	assert_int_equal(w.p.gone, 2);
	assert_int_equal(w.p.marked, 2);
	assert_int_equal(w.p.count[OP_NOOP], 2);
	assert_int_equal(guard_check(&w.p, &g, &e), -1); /* two are not many, but all there is */
	g.max_gone = 2;
	assert_int_equal(guard_check(&w.p, &g, &e), 0);
	g.max_gone = -1;
	inst->gone_ms = job->gone_ms = 500000;
	make(&w);
	assert_int_equal(w.p.gone, 0);
	assert_int_equal(w.p.marked, 0);
	op = op_at(&w, "synchronization_job.a");
	assert_int_equal(op->kind, OP_NOOP);
	assert_true(op->stays_gone);
	assert_non_null(strstr(op->notes[0], "gone on the service since 1970-01-01T00:08:20Z"));
	w.o.refresh = false; /* the record is trusted */
	make(&w);
	assert_true(op_at(&w, "synchronization_job.a")->stays_gone);
	w.o.refresh = true;

	build(&w, HEAD INSTANCE("a"));
	w.rec[w.recs.n++] = inst;
	w.rec[w.recs.n++] = job;
	make(&w); /* recreate now; the job's section has vanished */
	assert_int_equal(op_at(&w, "synchronization_instance.a")->kind, OP_CREATE);
	assert_int_equal(op_at(&w, "synchronization_job.a")->kind, OP_FORGET);
	assert_int_equal(op_at(&w, "synchronization_job.a")->nsteps, 0);
	assert_int_equal(w.p.norphans, 0);
	/* a file that is out of sight may come back, and must not buy then */
	w.o.missing_files = (const char *const[]){"gone.ini"};
	w.o.nmissing_files = 1;
	make(&w);
	assert_int_equal(w.p.norphans, 1);
	w.o.nmissing_files = 0;
	/* it is there again: an orphan like any other */
	row(&w, "dtsone", "one", "a", "Synchronizing", "");
	make(&w);
	assert_int_equal(w.p.norphans, 1);
}

static void imports_and_moves(void **s)
{
	struct world w;

	(void)s;
	build(&w, HEAD INSTANCE("a") "import_id = dtsone\n" JOB("a", "import_id = one\n"));
	row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
	make(&w);
	assert_int_equal(w.p.count[OP_ADOPT], 2);
	assert_int_equal(op_at(&w, "synchronization_job.a")->nsteps, 0);
	build(&w, HEAD INSTANCE("new") "was = synchronization_instance.old\n");
	record(&w, "synchronization_instance.old", "dtsone", "one");
	row(&w, "dtsone", "one", "a", "NotConfigured", "");
	make(&w);
	assert_int_equal(op_at(&w, "synchronization_instance.new")->kind, OP_MOVE);
	assert_int_equal(w.p.norphans, 0);
}

static void class_belongs_to_the_pair(void **s)
{
	struct world w;
	const char *text = HEAD
		"[synchronization_instance.a]\npayment_type = PayAsYouGo\nsource_endpoint_engine_name = MySQL\n"
		"source_endpoint_region = ${region}\ndestination_endpoint_engine_name = MySQL\n"
		"destination_endpoint_region = ${region}\n" JOB("a", "instance_class = large\n");

	(void)s;
	pair_seen(&w, text, "a", "Synchronizing", SHOP);
	assert_string_equal(steps(op_at(&w, "synchronization_instance.a")), "change class");
	assert_int_equal(op_at(&w, "synchronization_job.a")->nsteps, 0);
	pair_seen(&w, HEAD PAIR("a", "instance_class = small\n"), "a", "Synchronizing", SHOP);
	assert_int_equal(w.p.count[OP_NOOP], 2);
}

static void targets(void **s)
{
	struct world w;
	static const char *const t[] = {"synchronization_job.b"};

	(void)s;
	build(&w, HEAD PAIR("a", "") PAIR("b", ""));
	w.o.targets = t;
	w.o.ntargets = 1;
	make(&w);
	assert_int_equal(w.p.n, 2); /* with the instance it needs */
	w.o.ntargets = 0;
	w.o.excludes = t;
	w.o.nexcludes = 1;
	make(&w);
	assert_int_equal(w.p.n, 3);
}

static void resumes(void **s)
{
	struct world w;

	(void)s;
	build(&w, HEAD PAIR("a", ""));
	record(&w, "synchronization_instance.a", "dtsone", "one");
	record(&w, "synchronization_job.a", "dtsone", "one")->step = STEP_CONFIGURED;
	row(&w, "dtsone", "one", "a", "PrecheckFailed", SHOP);
	make(&w);
	assert_int_equal(op_at(&w, "synchronization_job.a")->kind, OP_RESUME);
	assert_string_equal(steps(op_at(&w, "synchronization_job.a")), "start, wait");
	/* the name of a free job is the creation's own doing, not somebody else's */
	build(&w, HEAD PAIR("a", ""));
	record(&w, "synchronization_instance.a", "dtsone", "one");
	record(&w, "synchronization_job.a", "dtsone", "one")->step = STEP_CONFIGURED_FREE;
	row(&w, "dtsone", "one", "a~1a2b3c", "NotStarted", SHOP);
	make(&w);
	assert_string_equal(op_at(&w, "synchronization_job.a")->changes[0].from, "a~1a2b3c");
	assert_false(op_at(&w, "synchronization_job.a")->changes[0].behind);
}

/* What gets to the wanted status by itself needs no call; what has to wait for it says so. */
static void on_its_way_is_no_change(void **s)
{
	static const char *const moving[] = {"Prechecking", "Retrying", "Upgrade", "Downgrade",
	                                     "Modifying"};
	const struct op *op;
	struct world w;

	(void)s;
	for (size_t i = 0; i < sizeof moving / sizeof *moving; i++) {
		pair_seen(&w, HEAD PAIR("a", ""), "a", moving[i], SHOP);
		assert_int_equal(w.p.count[OP_NOOP], 2);
		assert_true(noted(op_at(&w, "synchronization_job.a"),
		                  "on its way to Synchronizing by itself"));
	}
	pair_seen(&w, HEAD PAIR("a", ""), "a", "Modifying",
	          ",\"DbObject\":\"{\\\"crm\\\":{\\\"all\\\":true}}\"");
	op = op_at(&w, "synchronization_job.a");
	assert_string_equal(steps(op), "change objects");
	assert_int_equal(op->nchanges, 1);
	assert_true(noted(op, "waits until Modifying is over"));
	/* what its end is, is open: it is started, if need be */
	pair_seen(&w, HEAD PAIR("a", ""), "a", "PreCheckPass", SHOP);
	assert_string_equal(steps(op_at(&w, "synchronization_job.a")), "start");
	pair_seen(&w, HEAD PAIR("a", ""), "a", "Locked", SHOP);
	assert_string_equal(steps(op_at(&w, "synchronization_job.a")), "start");
}

/* The general part is said once; what is to be done, of each. */
static void notices_of_many(void **s)
{
	struct world w;

	(void)s;
	build(&w, HEAD INSTANCE("a") JOB("a", "") INSTANCE("b") JOB("b", ""));
	for (const char *k = "a"; k; k = *k == 'a' ? "b" : NULL) {
		const char *dts = arena_printf(&A, "dts%s", k);

		record(&w, arena_printf(&A, "synchronization_instance.%s", k), dts, k);
		record(&w, arena_printf(&A, "synchronization_job.%s", k), dts, k);
		row(&w, dts, k, k, "Suspending", SHOP);
	}
	make(&w);
	assert_true(noted(op_at(&w, "synchronization_job.a"), "after 7 days it fails"));
	assert_false(noted(op_at(&w, "synchronization_job.b"), "after 7 days it fails"));
	assert_true(noted(op_at(&w, "synchronization_job.b"),
	                  "suspended, still billed; `dtsbatch destroy --target "
	                  "'synchronization_instance.b'"));
	w.o.destroy = true;
	make(&w);
	assert_false(noted(op_at(&w, "synchronization_job.a"), "still billed"));
}

/* The Notice section of the reference, as lines of the plan. */
static void notices(void **s)
{
	const char *paused = HEAD INSTANCE("a") JOB("a", "");
	struct world w;
	const struct op *op;
	struct record *r;

	(void)s;
	build(&w, paused);
	record(&w, "synchronization_instance.a", "dtsone", "one");
	r = record(&w, "synchronization_job.a", "dtsone", "one");
	r->status = "Suspending";
	r->status_since_ms = 1700000000000;
	w.o.now_ms = 1700000000000 + 7 * 3600000LL;
	row(&w, "dtsone", "one", "a", "Suspending",
	    SHOP ",\"ExpireTime\":\"2027-01-01T00:00:00Z\"");
	make(&w);
	op = op_at(&w, "synchronization_job.a");
	assert_true(noted(op, "at least since 2023-11-14T22:13:20Z"));
	assert_true(noted(op, "past 6 hours"));
	assert_true(noted(op, "still billed"));
	assert_true(noted(op, "reads the source's log"));
	assert_true(noted(op, "after 7 days it fails"));
	/* both, or the instance stays and is billed on */
	assert_true(noted(op, "`dtsbatch destroy --target 'synchronization_instance.a' --target "
	                      "'synchronization_job.a'` releases it"));
	w.o.words = " t.ini";
	make(&w);
	assert_true(noted(op_at(&w, "synchronization_job.a"), "`dtsbatch destroy t.ini --target"));
	w.o.now_ms += 7 * 86400000LL;
	make(&w);
	assert_true(noted(op_at(&w, "synchronization_job.a"), "past 7 days"));
	((struct observed *)w.inv.v[0])->pay_type = "PrePaid";
	make(&w);
	assert_true(noted(op_at(&w, "synchronization_instance.a"), "prepaid until 2027-01-01"));
	assert_true(noted(op_at(&w, "synchronization_instance.a"), " d left)"));
	w.o.now_ms = 1798761600000 - 90 * 60000LL; /* 90 minutes before */
	make(&w);
	assert_true(noted(op_at(&w, "synchronization_instance.a"), "(1 h left)"));
	w.o.now_ms = 1798761600000 + 1;
	make(&w);
	assert_true(noted(op_at(&w, "synchronization_instance.a"),
	                  "the subscription ended on 2027-01-01T00:00:00Z: renew it"));
	assert_true(noted(op_at(&w, "synchronization_job.a"), "in the console only"));
	assert_false(noted(op_at(&w, "synchronization_job.a"), "dtsbatch destroy"));
	w.o.destroy = true;
	make(&w);
	assert_non_null(strstr(op_at(&w, "synchronization_job.a")->refused, "prepaid"));
}

#define CRM ",\"DbObject\":\"{\\\"crm\\\":{\\\"all\\\":true,\\\"name\\\":\\\"crm\\\"}}\""

enum { DB = 1, PASSWORD = 2, CLASS = 4, MOVED = 8, NAME = 16, PARAMS = 32 };

static const struct json *json_of(const char *text)
{
	return json_parse(&A, text, strlen(text), NULL);
}

#define SIZE_9 "[{\"module\": \"07\", \"name\": \"trans.maxsize\", \"value\": \"9\"}]"
#define SIZE_1                                                                                     \
	"{\"Parameters\": [{\"Module\": \"07\", \"Name\": \"trans.maxsize\", \"RunningValue\": \"1\"}]}"

/* A pair as recorded, whose job is seen in a status, and whose manifest wants one and some changes. */
static void pair_in(struct world *w, const char *seen, const char *want, unsigned changes)
{
	const char *text = HEAD PAIR("a", "endpoint_change = same-data\nPARAMETERS");
	struct record *r;

	text = replaced(text, "PARAMETERS",
	                changes & PARAMS ? "job_parameters = " SIZE_9 "\n" : "");
	text = replaced(text, "status = Synchronizing\n",
	                want ? arena_printf(&A, "status = %s\n", want) : "");
	text = replaced(text, "= small", changes & CLASS ? "= large" : "= small");
	build(w, text);
	record(w, "synchronization_instance.a", "dtsone", "one");
	r = record(w, "synchronization_job.a", "dtsone", "one");
	if (changes & PASSWORD)
		r->attrs[attr_of(&type_job, "source_endpoint_password")] =
			plan_fingerprint(&A, KEY, "older");
	r->attrs[attr_of(&type_job, "job_parameters")] = NULL;
	row(w, "dtsone", "one", changes & NAME ? "other" : "a", seen,
	    arena_printf(&A, "%s,\"ErrorMessage\":\"access denied\"", changes & DB ? CRM : SHOP));
	if (changes & MOVED)
		((struct json *)json_path(w->inv.v[0]->row, "SourceEndpoint.InstanceID"))->s =
			"rm-old";
	if (changes & PARAMS)
		((struct observed *)w->inv.v[0])->config = json_of(SIZE_1);
	make(w);
}

/* From every resting status to what is wanted, by calls that the service takes in it (dts-api.md 3.3). */
static void resting_jobs(void **s)
{
	static const struct {
		const char *seen, *want;
		unsigned changes;
		const char *job, *instance; /* steps; NULL: refused */
		const char *why;            /* part of the refusal */
	} rows[] = {
		/* what is possible at rest first, then the start, then the rest */
		{"Failed", "Synchronizing", DB, "start, change objects", "", NULL},
		{"Failed", "Synchronizing", MOVED, "start, move source endpoint", "", NULL},
		{"Failed", "Synchronizing", PASSWORD | DB | NAME,
	         "rename, change source password, start, change objects", "", NULL},
		{"Failed", "Synchronizing", CLASS, "start", "change class", NULL},
		{"Failed", "Synchronizing", CLASS | PASSWORD, "change source password, start",
	         "change class", NULL},
		{"Suspending", "Synchronizing", CLASS, "start", "change class", NULL},
		{"Suspending", "Synchronizing", PASSWORD, "change source password, start", "",
	         NULL},
		{"NotStarted", "Synchronizing", CLASS, "start", "change class", NULL},
		{"NotStarted", "Synchronizing", CLASS | DB, "configure, wait", "change class",
	         NULL},
		{"PrecheckFailed", "Synchronizing", CLASS, "start", "change class", NULL},
		{"InitializeFailed", "Synchronizing", DB, "start, change objects", "", NULL},
		/* nothing said: restarted when the cause changed, or when it must run */
		{"Failed", NULL, 0, "", "", NULL},
		{"Failed", NULL, NAME, "rename", "", NULL},
		{"Failed", NULL, PASSWORD, "change source password, start", "", NULL},
		{"Failed", NULL, DB, "start, change objects", "", NULL},
		{"Failed", NULL, MOVED, "start, move source endpoint", "", NULL},
		{"Failed", NULL, CLASS, "start", "change class", NULL},
		{"PrecheckFailed", NULL, PASSWORD, "change source password, start", "", NULL},
		{"PrecheckFailed", NULL, DB, "configure, wait", "", NULL},
		{"NotStarted", NULL, DB, "configure, wait", "", NULL},
		/* a pause: without a start just for it */
		{"PrecheckFailed", "Suspending", 0, "configure, wait", "", NULL},
		{"Failed", "Suspending", 0, NULL, "", "cannot be paused"},
		{"Failed", "Suspending", PASSWORD, NULL, "", "cannot be paused"},
		{"InitializeFailed", "Suspending", 0, NULL, "", "cannot be paused"},
		/* what nothing makes possible */
		{"Suspending", "Suspending", DB, NULL, "", "it is suspended: set status ="},
		{"Suspending", NULL, MOVED, NULL, "", "it is suspended: set status ="},
		{"Suspending", NULL, CLASS, "", NULL, "set status = Synchronizing in [sync"},
		{"Suspending", "Suspending", PASSWORD, "change source password", "", NULL},
		{"NotStarted", "Suspending", CLASS, "", NULL, "never started: set status"},
		{"NotStarted", NULL, CLASS, "", NULL, "never started: set status"},
		{"Failed", "Suspending", CLASS, NULL, NULL, "set status = Synchronizing in ["},
		{"Locked", "Synchronizing", 0, NULL, "", "pay or renew it first"},
		{"Locked", "Suspending", 0, NULL, "", "pay or renew it first"},
		{"Locked", NULL, DB, NULL, "", "pay or renew it first"},
		{"Locked", NULL, NAME, "rename", "", NULL},
		{"Locked", NULL, CLASS, "", NULL, "pay or renew it first"},
		/* parameters are set when the job is started, as at its creation */
		{"NotStarted", "Suspending", PARAMS, "", "", NULL},
		{"NotStarted", "Suspending", PARAMS | DB, "configure, wait", "", NULL},
		{"NotStarted", "Synchronizing", PARAMS, "start, set parameters", "", NULL},
		{"Failed", NULL, PARAMS, "start, set parameters", "", NULL},
		/* on its way: waited out, not started */
		{"Modifying", "Synchronizing", DB, "change objects", "", NULL},
		{"Upgrade", "Synchronizing", CLASS, "", "change class", NULL},
		{"Synchronizing", "Suspending", CLASS | DB, "change objects, suspend",
	         "change class", NULL},
	};

	(void)s;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *id = arena_printf(&A, "%zu: %s, wanted %s", i, rows[i].seen,
		                              rows[i].want ? rows[i].want : "nothing");
		const struct op *job, *inst;
		struct world w;

		pair_in(&w, rows[i].seen, rows[i].want, rows[i].changes);
		job = op_at(&w, "synchronization_job.a");
		inst = op_at(&w, "synchronization_instance.a");
		if (rows[i].job ? job->refused || !text_eq(steps(job), rows[i].job)
		                : !job->refused ||
		                          (rows[i].instance && !strstr(job->refused, rows[i].why)))
			fail_msg("%s: job: %s, refused: %s", id, steps(job),
			         job->refused ? job->refused : "no");
		if (rows[i].instance ? inst->refused || !text_eq(steps(inst), rows[i].instance)
		                     : !inst->refused || !strstr(inst->refused, rows[i].why))
			fail_msg("%s: instance: %s, refused: %s", id, steps(inst),
			         inst->refused ? inst->refused : "no");
		if ((rows[i].changes & CLASS) && !inst->refused)
			assert_int_equal(
				after(&w, "synchronization_instance.a", "synchronization_job.a"),
				(strstr(steps(job), "start") || strstr(steps(job), "conf")) &&
					strcmp(rows[i].seen, "Upgrade") != 0);
	}
}

/* A failure is told, also where nothing is to be done about it. */
static void failures_are_told(void **s)
{
	struct world w;

	(void)s;
	pair_in(&w, "Failed", NULL, 0);
	assert_int_equal(op_at(&w, "synchronization_job.a")->kind, OP_NOOP);
	assert_true(noted(op_at(&w, "synchronization_job.a"),
	                  "Failed: access denied; it is started again when its password, an "
	                  "endpoint or its objects change, or something that needs it running"));
	pair_in(&w, "Failed", "Synchronizing", 0);
	assert_true(noted(op_at(&w, "synchronization_job.a"),
	                  "Failed: access denied; this starts it again"));
	pair_in(&w, "Failed", NULL, DB);
	assert_true(noted(op_at(&w, "synchronization_job.a"), "; this starts it again"));
	pair_in(&w, "Locked", NULL, 0);
	assert_true(noted(op_at(&w, "synchronization_job.a"), "pay or renew"));
	pair_in(&w, "Failed", NULL, CLASS);
	assert_int_equal(op_at(&w, "synchronization_job.a")->kind, OP_UPDATE);
	assert_non_null(op_at(&w, "synchronization_job.a")->why);
}

/* The job of an instance that waits for it may itself wait for something that needs the instance. */
static void a_circle_is_refused(void **s)
{
	const char *text = HEAD PAIR("a", "depends_on = synchronization_instance.b\n")
		INSTANCE("b") "depends_on = synchronization_instance.a\n";
	char *p = arena_strdup(&A, text);
	struct world w;

	(void)s;
	memcpy(strstr(p, "= small"), "= large", 7);
	build(&w, p);
	record(&w, "synchronization_instance.a", "dtsone", "one");
	record(&w, "synchronization_job.a", "dtsone", "one");
	row(&w, "dtsone", "one", "a", "Suspending", SHOP);
	make(&w);
	assert_non_null(strstr(op_at(&w, "synchronization_instance.a")->refused, "run first"));
	assert_true(after(&w, "synchronization_job.a", "synchronization_instance.a"));
	assert_false(after(&w, "synchronization_instance.a", "synchronization_job.a"));
}

/* An instance goes only when every job on it visibly goes, too. */
static void a_job_is_not_lost_with_its_instance(void **s)
{
	static const char *const inst[] = {"synchronization_instance.a"};
	static const char *const jobs[] = {"synchronization_job.*"};
	struct world w;

	(void)s;
	pair_seen(&w, HEAD PAIR("a", ""), "a", "Synchronizing", SHOP);
	w.o.destroy = true;
	w.o.targets = inst;
	w.o.ntargets = 1;
	make(&w);
	assert_non_null(strstr(op_at(&w, "synchronization_instance.a")->refused,
	                       "is no part of this change"));
	w.o.ntargets = 0;
	w.o.excludes = jobs;
	w.o.nexcludes = 1;
	make(&w);
	assert_non_null(op_at(&w, "synchronization_instance.a")->refused);
	w.o.nexcludes = 0;
	make(&w);
	assert_null(op_at(&w, "synchronization_instance.a")->refused);
	/* protection written today counts, though no apply has recorded it */
	pair_seen(&w, HEAD PAIR("a", "protect = true\n"), "a", "Synchronizing", SHOP);
	w.o.destroy = true;
	make(&w);
	assert_non_null(op_at(&w, "synchronization_job.a")->refused);
	assert_non_null(op_at(&w, "synchronization_instance.a")->refused);
	pair_seen(&w, HEAD PAIR("a", "on_destroy = forget\n"), "a", "Synchronizing", SHOP);
	w.o.destroy = true;
	make(&w);
	assert_int_equal(op_at(&w, "synchronization_job.a")->kind, OP_FORGET);
	assert_non_null(
		strstr(op_at(&w, "synchronization_instance.a")->refused, "is only forgotten"));
	/* a configured job that the state does not know */
	build(&w, HEAD PAIR("a", ""));
	record(&w, "synchronization_instance.a", "dtsone", "one");
	row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
	w.o.destroy = true;
	make(&w);
	assert_non_null(op_at(&w, "synchronization_instance.a")->refused);
}

/* `was` gives the instance another name: what lives on it, or did, still finds it. */
static void a_renamed_instance_is_the_same(void **s)
{
	const char *text = INSTANCE("a");
	struct world w;

	(void)s;
	text = replaced(text, "synchronization_instance.a]",
	                "synchronization_instance.q]\nwas = a");
	for (int absent = 0; absent < 2; absent++) {
		build(&w, arena_printf(&A, "%s%s%s", HEAD, text,
		                       absent ? replaced(JOB("a", "ensure = absent\n"),
		                                         "synchronization_instance.a",
		                                         "synchronization_instance.q")
		                              : ""));
		record(&w, "synchronization_instance.a", "dtsone", "one");
		record(&w, "synchronization_job.a", "dtsone", "one");
		row(&w, "dtsone", "one", "a", "Synchronizing", SHOP);
		w.o.prune = true;
		make(&w);
		assert_int_equal(op_at(&w, "synchronization_instance.q")->kind, OP_MOVE);
		assert_int_equal(op_at(&w, "synchronization_job.a")->kind, OP_DELETE);
		/* not deleted: that would release the instance */
		assert_string_equal(steps(op_at(&w, "synchronization_job.a")), "verify, reset");
	}
}

static void what_ended_is_not_bought_again(void **s)
{
	struct world w;
	char *text = arena_strdup(&A, HEAD PAIR("a", "")),
	     *p = strstr(text, "data_synchronization = true");

	(void)s;
	memcpy(p, "data_synchronization = false", 28);
	text = arena_printf(
		&A,
		"%.*s\nstatus = Synchronizing\ndb_list = {\"shop\": {\"name\": \"shop\", \"all\": true}}\n",
		(int)(p + 28 - text), text);
	build(&w, text);
	record(&w, "synchronization_instance.a", "dtsone", "one");
	record(&w, "synchronization_job.a", "dtsone", "one");
	make(&w);
	assert_int_equal(w.p.count[OP_CREATE], 0);
	assert_non_null(op_at(&w, "synchronization_instance.a")->refused);
}

static int setup(void **s)
{
	(void)s;
	arena_init(&A);
	return 0;
}

static int teardown(void **s)
{
	(void)s;
	arena_release(&A);
	return 0;
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test_setup_teardown(creates_a_pair, setup, teardown),
		cmocka_unit_test_setup_teardown(converged_is_noop, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_go_in_place, setup, teardown),
		cmocka_unit_test_setup_teardown(secret_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_never_applied_is_a_change, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(a_subscription_takes_its_length_along, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(replacement_needs_leave, setup, teardown),
		cmocka_unit_test_setup_teardown(deletions, setup, teardown),
		cmocka_unit_test_setup_teardown(money_is_counted_once, setup, teardown),
		cmocka_unit_test_setup_teardown(refused_is_not_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(two_way_needs_pay_as_you_go, setup, teardown),
		cmocka_unit_test_setup_teardown(two_way_may_be_said_later, setup, teardown),
		cmocka_unit_test_setup_teardown(protection_is_shown, setup, teardown),
		cmocka_unit_test_setup_teardown(ssl_overrides_reserve, setup, teardown),
		cmocka_unit_test_setup_teardown(an_alarm_is_shown_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(tags_by_member, setup, teardown),
		cmocka_unit_test_setup_teardown(gone_and_guard, setup, teardown),
		cmocka_unit_test_setup_teardown(gone_for_good, setup, teardown),
		cmocka_unit_test_setup_teardown(imports_and_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(class_belongs_to_the_pair, setup, teardown),
		cmocka_unit_test_setup_teardown(targets, setup, teardown),
		cmocka_unit_test_setup_teardown(resumes, setup, teardown),
		cmocka_unit_test_setup_teardown(on_its_way_is_no_change, setup, teardown),
		cmocka_unit_test_setup_teardown(two_way_of_few, setup, teardown),
		cmocka_unit_test_setup_teardown(an_account_moves_with_its_end, setup, teardown),
		cmocka_unit_test_setup_teardown(reverse_needs_two_way, setup, teardown),
		cmocka_unit_test_setup_teardown(a_class_by_default_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(notices, setup, teardown),
		cmocka_unit_test_setup_teardown(notices_of_many, setup, teardown),
		cmocka_unit_test_setup_teardown(resting_jobs, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_circle_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_job_is_not_lost_with_its_instance, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(a_renamed_instance_is_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(what_ended_is_not_bought_again, setup, teardown),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
