/*
 * Lists and their traps, answers' types, the request log, limits, faults, strangers, control
 * operations, the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sys.h"
#include "base/text.h"
#include "sim/persist.h"
#include "sim_fixture.h"

static int64_t total(struct fx *f, const char *name, const char *value)
{
	fx_call(f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", name, value,
	        NULL);
	return json_get(f->j, "TotalRecordCount")->i;
}

static void fill(struct fx *f, int n)
{
	struct fx_pair v[FX_PAIRS];
	char name[32];
	size_t k;

	for (int i = 0; i < n; i++) {
		fx_buy(f);
		k = fx_configure_pairs(v);
		snprintf(name, sizeof(name), "orders-%03d", i);
		fx_set(v, &k, "DtsInstanceId", f->instance);
		fx_set(v, &k, "DtsJobName", name);
		assert_int_equal(fx_callv(f, "ConfigureDtsJob", v, k), 200);
	}
}

static void test_paging(void **st)
{
	const struct json *o;
	struct fx f;

	(void)st;
	fx_init(&f, "[limits]\noff = true\n", true);
	fill(&f, 45);
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "PageNumber",
	        "3", NULL);
	assert_int_equal(json_get(f.j, "PageRecordCount")->i, 5); /* 20 a page unless asked */
	assert_int_equal(json_get(f.j, "TotalRecordCount")->i, 45);
	o = json_get(f.j, "DtsJobList")->child;
	assert_string_equal(json_str(o, "DtsJobName"), "orders-040");
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "PageNumber",
	        "4", NULL);
	assert_int_equal(json_get(f.j, "DtsJobList")->n, 0);
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "OrderColumn",
	        "CreateTime", "OrderDirection", "DESC", "PageSize", "30", NULL);
	assert_string_equal(json_str(json_get(f.j, "DtsJobList")->child, "DtsJobName"),
	                    "orders-044");
	fx_call(&f, "CountJobByCondition", "Region", "cn-hangzhou", "RegionId", "cn-hangzhou",
	        "JobType", "SYNC", NULL);
	assert_int_equal(json_get(f.j, "TotalRecordCount")->i, 45);
	fx_release(&f);
}

static void test_filters(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "[limits]\noff = true\n", true);
	fill(&f, 12);
	/* the trap: MIGRATION unless told otherwise */
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", NULL);
	assert_int_equal(json_get(f.j, "TotalRecordCount")->i, 0);
	assert_int_equal(total(&f, "DtsInstanceId", f.instance), 1);
	assert_int_equal(total(&f, "DtsInstanceId", "dtsnosuch"), 0);
	assert_int_equal(total(&f, "DtsJobId", f.job), 1);
	assert_int_equal(total(&f, "Status", "Synchronizing"), 12);
	assert_int_equal(total(&f, "Status", "NotConfigured"), 0);
	assert_int_equal(total(&f, "InstanceId", "rm-target"), 12);
	assert_int_equal(total(&f, "GroupId", "x"), 0);
	assert_int_equal(total(&f, "ResourceGroupId", "rg-none"), 0);
	/* fuzzy: orders-01 finds orders-010 and orders-011 as well; case is ignored */
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "Type", "name",
	        "Params", "ORDERS-01", NULL);
	assert_int_equal(json_get(f.j, "TotalRecordCount")->i, 2);
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "Type", "srcRds",
	        "Params", "rm-target", NULL);
	assert_int_equal(json_get(f.j, "TotalRecordCount")->i, 0);
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "Type",
	        "instance", "Params", f.instance, NULL);
	assert_int_equal(json_get(f.j, "TotalRecordCount")->i, 1);
	/* another region knows nothing */
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-beijing", "JobType", "SYNC", NULL);
	assert_int_equal(json_get(f.j, "TotalRecordCount")->i, 0);
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "WithoutDbList",
	        "true", NULL);
	assert_null(json_get(json_get(f.j, "DtsJobList")->child, "DbObject"));
	fx_release(&f);
}

/* Attribute changes lag, too, and the filters look at what is shown. */
static void test_lag(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", false);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_pass(&f, 20000);
	fx_call(&f, "ModifyDtsJobName", "DtsJobId", f.job, "DtsJobName", "renamed", NULL);
	fx_call(&f, "DescribeDtsJobDetail", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_get(&f, "DtsJobName"), "renamed");
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "Type", "name",
	        "Params", "renamed", NULL);
	assert_int_equal(json_get(f.j, "TotalRecordCount")->i, 0);
	fx_pass(&f, 2000);
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", "Type", "name",
	        "Params", "renamed", NULL);
	assert_int_equal(json_get(f.j, "TotalRecordCount")->i, 1);
	fx_release(&f);
}

/* 1.1: Success and HttpStatusCode as each operation spells them. */
static void test_types(void **st)
{
	const struct json *item;
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	assert_int_equal(json_get(f.j, "Success")->type, JSON_STRING);
	assert_null(json_get(f.j, "HttpStatusCode"));
	fx_configure(&f, NULL);
	assert_int_equal(json_get(f.j, "Success")->type, JSON_STRING);
	assert_int_equal(json_get(f.j, "HttpStatusCode")->type, JSON_STRING);
	fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL);
	assert_int_equal(json_get(f.j, "Success")->type, JSON_BOOL);
	assert_int_equal(json_get(f.j, "HttpStatusCode")->type, JSON_NUMBER);
	fx_call(&f, "DescribeDtsJobDetail", "DtsInstanceID", f.instance, NULL);
	assert_string_equal(fx_get(&f, "Status"), "synchronizing");
	assert_non_null(json_path(f.j, "SourceEndpoint.AliyunUid"));
	fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", "JobType", "SYNC", NULL);
	item = json_get(f.j, "DtsJobList")->child;
	assert_string_equal(json_str(item, "Status"), "Synchronizing");
	assert_null(json_path(item, "SourceEndpoint.AliyunUid")); /* only in Detail */
	assert_null(json_get(item, "DtsJobDirection"));           /* only on two-way instances */
	assert_string_equal(json_str(item, "JobType"), "SYNC");
	/* `state` at each level, members in another order */
	assert_string_equal(json_str(item, "DbObject"),
	                    "{\"shop\":{\"all\":true,\"name\":\"shop\",\"state\":\"normal\"}}");
	fx_release(&f);
}

static void test_limits(void **st)
{
	int refused = 0;
	struct fx f;

	(void)st;
	fx_init(&f, "[limits]\nretry_after = 1500ms\n", false);
	for (int i = 0; i < 25; i++)
		refused += fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", NULL) == 400;
	assert_int_equal(refused, 5); /* 20/s */
	assert_string_equal(fx_code(&f), "Throttling.User");
	assert_int_equal(f.rs.retry_after_ms, 1500);
	/* another region and another class have their own */
	assert_int_equal(fx_call(&f, "DescribeDtsJobs", "Region", "cn-beijing", "RegionId",
	                         "cn-beijing", NULL),
	                 200);
	assert_int_equal(fx_call(&f, "DescribeDtsJobDetail", "DtsJobId", "x", NULL), 403);
	fx_pass(&f, 100); /* two more */
	assert_int_equal(fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", NULL), 200);
	assert_int_equal(fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", NULL), 200);
	assert_int_equal(fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", NULL), 400);
	fx_release(&f);
}

static void test_faults(void **st)
{
	struct fx_pair v[FX_PAIRS];
	size_t n = fx_buy_pairs(v);
	struct fx f;

	(void)st;
	fx_init(&f,
	        "[fault.a]\naction = CreateDtsInstance\nnth = 1\ndo = cut-before\n"
	        "[fault.b]\naction = CreateDtsInstance\nnth = 2\ndo = cut-after\n"
	        "[fault.c]\naction = CreateDtsInstance\nnth = 3\ndo = code:LXBuyError:403\nmessage = Buy instance error.ARREARAGE\n"
	        "[fault.d]\naction = CreateDtsInstance\nnth = 4\ndo = code:ServiceUnavailable:503\neffect = yes\n"
	        "[fault.e]\naction = CreateDtsInstance\nnth = 5\ndo = status:502\n"
	        "[fault.f]\naction = CreateDtsInstance\nnth = 6\ndo = lost-effect\n"
	        "[fault.g]\naction = CreateDtsInstance\nnth = 7\ndo = half\n"
	        "[fault.h]\naction = Modify*\nmatch = DtsJobName=bad*\nevery = 2\ndo = body-code:SQLExecuteError\n"
	        "[fault.i]\naction = DescribeDtsJobs\nafter = 1\ncount = 1\ndo = delay:3s\n"
	        "[fault.j]\naction = DescribeDtsJobDetail\ndo = garbage\n",
	        true);
	assert_int_equal(fx_callv(&f, "CreateDtsInstance", v, n), 0);
	assert_int_equal(f.w.inst.n, 0);
	assert_int_equal(fx_callv(&f, "CreateDtsInstance", v, n), 0);
	assert_int_equal(f.w.inst.n, 1);
	assert_int_equal(fx_callv(&f, "CreateDtsInstance", v, n), 403);
	assert_string_equal(fx_get(&f, "Message"), "Buy instance error.ARREARAGE");
	assert_int_equal(f.w.inst.n, 1);
	assert_int_equal(fx_callv(&f, "CreateDtsInstance", v, n), 503);
	assert_int_equal(f.w.inst.n, 2); /* although it worked */
	assert_true(f.rs.effect);
	assert_int_equal(fx_callv(&f, "CreateDtsInstance", v, n), 502);
	assert_null(f.j); /* no JSON */
	assert_int_equal(fx_callv(&f, "CreateDtsInstance", v, n), 200);
	assert_string_equal(fx_get(&f, "Success"), "true");
	f.instance = arena_strdup(&f.mine, fx_get(&f, "InstanceId"));
	assert_int_equal(
		fx_call(&f, "DescribeDtsInstanceDetail", "DtsInstanceId", f.instance, NULL), 403);
	assert_int_equal(f.w.inst.n, 2);
	assert_int_equal(fx_callv(&f, "CreateDtsInstance", v, n), 0);
	assert_int_equal(f.rs.cut, CUT_HALF);
	assert_int_equal(f.w.inst.n, 3);
	for (int i = 1; i <= 4; i++) {
		fx_call(&f, "ModifyDtsJobName", "DtsJobId", "x", "DtsJobName", "badly", NULL);
		assert_string_equal(fx_code(&f),
		                    i % 2 ? "Forbidden.InstanceNotFound" : "SQLExecuteError");
		fx_call(&f, "ModifyDtsJobName", "DtsJobId", "x", "DtsJobName", "good", NULL);
		assert_string_equal(fx_code(&f), "Forbidden.InstanceNotFound");
	}
	for (int i = 0; i < 3; i++) {
		fx_call(&f, "DescribeDtsJobs", "Region", "cn-hangzhou", NULL);
		assert_int_equal(f.rs.delay_ms, i == 1 ? 3000 : 0);
	}
	fx_call(&f, "DescribeDtsJobDetail", "DtsJobId", "x", NULL);
	assert_null(f.j);
	fx_release(&f);
}

static void test_probability(void **st)
{
	int a = 0, b = 0;
	struct fx f;

	(void)st;
	for (int round = 0; round < 2; round++) {
		fx_init(&f,
		        "[limits]\noff = true\n[fault.p]\nprobability = 0.2\nseed = 42\ndo = code:Throttling.User:400\n",
		        true);
		for (int i = 0; i < 500; i++)
			*(round ? &b : &a) += fx_call(&f, "DescribeDtsJobs", "Region",
			                              "cn-hangzhou", NULL) == 400;
		fx_release(&f);
	}
	assert_int_equal(a, b); /* repeatable */
	assert_in_range(a, 60, 140);
}

static void test_stranger(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "[stranger]\nafter = CreateDtsInstance\nevery = 2\nmax = 2\n", true);
	for (int i = 0; i < 8; i++)
		fx_buy(&f);
	assert_int_equal(f.w.inst.n, 10);
	assert_true(f.w.inst.v[2]->stranger);
	assert_string_equal(f.w.inst.v[2]->src_engine, f.w.inst.v[1]->src_engine);
	assert_string_equal(f.w.inst.v[2]->cls, f.w.inst.v[1]->cls);
	fx_release(&f);
}

/* Picked is not struck: a code finds nothing to do on a request that fails by itself. */
static void test_struck(void **st)
{
	static const struct {
		const char *action, *fault;
		bool struck;
	} want[] = {{"CreateDtsInstance", "code", false},
	            {"CreateDtsInstance", "html", true},
	            {"DescribeDtsJobs", "cut-before", true},
	            {"DescribeDtsJobs", "code", true},
	            {"DescribeDtsJobs", NULL, false}};
	struct json *l;
	struct fx f;

	(void)st;
	fx_init(&f,
	        "[fault.a]\naction = CreateDtsInstance\nnth = 1\ndo = code:InternalError:500\neffect = yes\n"
	        "[fault.b]\naction = CreateDtsInstance\nnth = 2\ndo = html\n"
	        "[fault.c]\naction = DescribeDtsJobs\nnth = 1\ndo = cut-before\n"
	        "[fault.d]\naction = DescribeDtsJobs\nnth = 2\ndo = code:InternalError:500\n",
	        true);
	for (size_t i = 0; i < 5; i++) { /* the purchases lack everything */
		fx_call(&f, want[i].action, "Region", "cn-hangzhou", NULL);
		l = json_parse(&f.a, buf_str(&f.rs.log), f.rs.log.n, NULL);
		assert_true(text_eq(json_str(l, "fault"), want[i].fault));
		assert_int_equal(json_true(json_get(l, "struck")), want[i].struck);
	}
	fx_release(&f);
}

static void test_log(void **st)
{
	struct json *l;
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	f.form = true;
	fx_configure(&f, "{\"targetTableMode\":\"0\",\"srcSslCaCert\":\"EXAMPLE-cert\"}");
	assert_null(strstr(buf_str(&f.rs.log), "EXAMPLE"));
	l = json_parse(&f.a, buf_str(&f.rs.log), f.rs.log.n, NULL);
	assert_non_null(l);
	assert_string_equal(json_str(l, "action"), "ConfigureDtsJob");
	assert_string_equal(json_str(l, "sig"), "v1");
	assert_string_equal(json_str(l, "key"), FX_KEY);
	assert_string_equal(json_str(l, "form.SourceEndpointPassword"), "***");
	assert_string_equal(json_str(l, "form.DtsJobName"), "orders");
	assert_null(json_path(l, "query.DtsJobName")); /* where it was sent is kept */
	assert_string_equal(json_str(l, "query.Signature"), "***");
	assert_string_equal(json_str(l, "query.Action"), "ConfigureDtsJob");
	assert_int_equal(json_get(l, "status")->i, 200);
	assert_int_equal(json_get(l, "code")->type, JSON_NULL);
	assert_true(json_get(l, "effect")->b);
	assert_string_equal(json_str(l, "instance"), f.instance);
	assert_string_equal(json_str(l, "job"), f.job);
	fx_call(&f, "ModifyDtsJobName", "DtsJobId", "gone", "DtsJobName", "x", NULL);
	l = json_parse(&f.a, buf_str(&f.rs.log), f.rs.log.n, NULL);
	assert_string_equal(json_str(l, "code"), "Forbidden.InstanceNotFound");
	assert_false(json_get(l, "effect")->b);
	fx_release(&f);
}

static int control(struct fx *f, const char *path, const char *body)
{
	struct sim_request rq = {
		.method = "POST", .target = path, .body = body, .body_n = strlen(body)};

	arena_reset(&f->a);
	return fx_raw(f, &rq);
}

static void test_stranger_on_demand(void **st)
{
	char *path;
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	assert_int_equal(control(&f, "/_sim/stranger", ""), 404); /* like what? */
	fx_buy(&f);
	fx_buy(&f);
	path = arena_printf(&f.mine, "/_sim/stranger?like=%s&configure=true", f.w.inst.v[0]->id);
	assert_int_equal(control(&f, path, ""), 200);
	assert_int_equal(control(&f, "/_sim/stranger", ""), 200);
	assert_int_equal(f.w.inst.n, 4);
	assert_true(f.w.inst.v[2]->stranger && f.w.inst.v[3]->stranger);
	assert_string_equal(f.w.inst.v[2]->cls, f.w.inst.v[0]->cls);
	assert_true(text_starts(f.w.job.v[2]->name, "stranger-"));
	assert_false(text_starts(f.w.job.v[3]->name, "stranger-")); /* bare */
	fx_release(&f);
}

/* Changes behind the client's back. */
static void test_control(void **st)
{
	struct fx f;

	(void)st;
	fx_init(&f, "", true);
	fx_buy(&f);
	fx_configure(&f, NULL);
	control(&f, arena_printf(&f.mine, "/_sim/set?job=%s&field=name&value=other%%20name", f.job),
	        "");
	control(&f, arena_printf(&f.mine, "/_sim/set?job=%s&field=status&value=Failed", f.job), "");
	control(&f,
	        arena_printf(&f.mine, "/_sim/set?instance=%s&field=class&value=large", f.instance),
	        "");
	assert_string_equal(fx_status(&f, f.job), "Failed");
	assert_string_equal(fx_get(&f, "DtsJobName"), "other name");
	assert_string_equal(fx_get(&f, "DtsJobClass"), "large");
	assert_int_equal(
		control(&f, arena_printf(&f.mine, "/_sim/set?job=%s&field=colour&value=red", f.job),
	                ""),
		400);
	assert_int_equal(control(&f, "/_sim/set?job=nosuch&field=name&value=x", ""), 404);
	control(&f, "/_sim/world", "");
	assert_non_null(json_get(f.j, "instances"));
	assert_int_equal(control(&f, "/_sim/scenario",
	                         "[fault.x]\naction = StartDtsJob\ndo = code:Throttling:400\n"),
	                 200);
	assert_int_equal(fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL), 400);
	assert_int_equal(control(&f, "/_sim/scenario", "[fault.x]\ncolour = red\n"), 400);
	assert_non_null(strstr(buf_str(&f.rs.body), "POST:2: unknown key: colour"));
	assert_int_equal(fx_call(&f, "StartDtsJob", "DtsJobId", f.job, NULL),
	                 400); /* the former one stays */
	control(&f, arena_printf(&f.mine, "/_sim/delete?instance=%s", f.instance), "");
	assert_string_equal(fx_status(&f, f.job), "Forbidden.InstanceNotFound");
	control(&f, "/_sim/advance?seconds=7", "");
	assert_int_equal(f.w.advance_ms, 7000);
	fx_release(&f);
}

static void load_into(struct fx *f, const char *path)
{
	struct err e = {0};

	fx_init(f, "", false);
	if (world_load(&f->w, path, &e) != 0)
		fail_msg("%s", e.msg);
}

static void test_world_file(void **st)
{
	char path[] = "/tmp/sim-world-XXXXXX";
	struct buf first, second;
	struct err e = {0};
	struct fx f, g;

	(void)st;
	close(mkstemp(path));
	fx_init(&f, "", false);
	fx_buy(&f);
	fx_configure(&f, NULL);
	fx_pass(&f, 3000);
	fx_call(&f, "TagResources", "RegionId", "cn-hangzhou", "ResourceType",
	        "ALIYUN::DTS::INSTANCE", "ResourceId.1", f.instance, "Tag.1.Key", "k",
	        "Tag.1.Value", "v \"quoted\"", NULL);
	assert_int_equal(world_save(&f.w, path, &e), 0);
	load_into(&g, path);
	buf_init(&first, 1 << 20);
	buf_init(&second, 1 << 20);
	world_write(&f.w, &first);
	world_write(&g.w, &second);
	assert_string_equal(buf_str(&first), buf_str(&second));
	assert_null(strstr(buf_str(&first), "EXAMPLE")); /* passwords are salted hashes */
	/* the life goes on, the nonces are still refused, the equal password too */
	g.now_ms = g.w.now_ms + 30000;
	g.nonce = 100;
	assert_string_equal(fx_status(&g, f.job), "synchronizing");
	g.nonce = 0; /* that of the purchase, now on a read */
	fx_call(&g, "DescribeDtsJobDetail", "DtsJobId", f.job, NULL);
	assert_string_equal(fx_code(&g), "SignatureNonceUsed");
	g.nonce = 200;
	fx_call(&g, "ModifyDtsJobPassword", "DtsJobId", f.job, "Endpoint", "src", "UserName", "dts",
	        "Password", "EXAMPLE-source", NULL);
	assert_string_equal(fx_code(&g), "InvalidParameter");
	fx_release(&g);
	buf_release(&first);
	buf_release(&second);
	fx_release(&f);
	unlink(path);
}

static void test_bad_world(void **st)
{
	static const struct {
		const char *text, *part;
	} rows[] = {
		{"", "damaged"},
		{"{\"dtsbatch_world\": 1,\n\"instances\": [\n{\"id\": \"dtsa\"", "damaged"},
		{"[]", "not a world file"},
		{"{\"format_version\":1,\"resources\":[]}", "not a world file"},
		{"{\"dtsbatch_world\": 2, \"instances\": [], \"jobs\": []}", "another version"},
		{"{\"dtsbatch_world\": 1, \"instances\": []}", "missing"},
		{"{\"dtsbatch_world\": 1, \"instances\": [{\"class\":\"small\"}], \"jobs\": []}",
	         "without an id"},
		{"{\"dtsbatch_world\": 1, \"instances\": [{\"id\":\"a\"},{\"id\":\"a\"}], \"jobs\": []}",
	         "twice: a"},
		{"{\"dtsbatch_world\": 1, \"instances\": [{\"id\":\"a\",\"colour\":\"red\"}], \"jobs\": []}",
	         "colour"},
		{"{\"dtsbatch_world\": 1, \"instances\": [], \"jobs\": [{\"id\":\"a\",\"status\":\"Happy\"}]}",
	         "status"},
	};
	char path[] = "/tmp/sim-world-XXXXXX";
	struct err e;
	struct fx f;

	(void)st;
	close(mkstemp(path));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&e, 0, sizeof(e));
		assert_int_equal(sys_replace_file(path, 0600, rows[i].text, strlen(rows[i].text)),
		                 0);
		fx_init(&f, "", true);
		assert_int_equal(world_load(&f.w, path, &e), -1);
		assert_int_equal(e.code, ERR_STATE_READ);
		if (!strstr(e.msg, rows[i].part))
			fail_msg("%zu: %s", i, e.msg);
		fx_release(&f);
	}
	unlink(path);
}

static void test_bad_scenarios(void **st)
{
	static const struct {
		const char *text, *part;
	} rows[] = {
		{"[nothing]\n", "x:1: unknown section"},
		{"key = value\n", "x:1: key outside"},
		{"[timing]\nprecheck = soon\n", "x:2: not a duration"},
		{"[limits]\noff = yes\n", "x:2: true or false"},
		{"[fault.a]\ndo = explode\n", "x:2: unknown kind"},
		{"[fault.a]\ndo = status:9\n", "x:2: a status"},
		{"[fault.a]\naction = x\n", "without 'do'"},
		{"[precheck.a]\nitem = CHECK_ALL\n", "unknown precheck item"},
		{"[fault.a]\nmatch = x\n", "Param=glob"},
		{"[fault.a\n", "broken section"},
		{"[errors]\nInvalidJobId = maybe\n", "http, body"},
	};
	struct scenario sc;
	struct err e;

	(void)st;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&e, 0, sizeof(e));
		scenario_init(&sc);
		assert_int_equal(scenario_parse(&sc, "x", rows[i].text, strlen(rows[i].text), &e),
		                 -1);
		if (!strstr(e.msg, rows[i].part))
			fail_msg("%zu: %s", i, e.msg);
		scenario_release(&sc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paging),        cmocka_unit_test(test_filters),
		cmocka_unit_test(test_lag),           cmocka_unit_test(test_types),
		cmocka_unit_test(test_limits),        cmocka_unit_test(test_faults),
		cmocka_unit_test(test_probability),   cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_log),           cmocka_unit_test(test_control),
		cmocka_unit_test(test_struck),        cmocka_unit_test(test_stranger_on_demand),
		cmocka_unit_test(test_world_file),    cmocka_unit_test(test_bad_world),
		cmocka_unit_test(test_bad_scenarios),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
