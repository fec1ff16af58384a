/* From blocks to resources: addresses, references, secrets, lifecycle keys, and every mistake a
 * user can make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/secret.h"
#include "base/text.h"
#include "batch_fixture.h"

static struct bfx f;

static int setup(void **state)
{
	(void)state;
	bfx_init(&f);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bfx_release(&f);
	return 0;
}

#define SETTINGS "[dtsbatch]\nregion = cn-hangzhou\n"
#define PAIR                                                                                       \
	"[synchronization_instance.i]\n" INSTANCE_KEYS                                             \
	"[synchronization_job.j]\ndts_instance_id = ${synchronization_instance.i.id}\n"            \
	"dts_job_name = j\n" JOB_KEYS
#define BOUGHT "payment_type = PayAsYouGo\ninstance_class = small\n" JOB_KEYS

static const struct value *val(const char *address, const char *key)
{
	return res_val(bfx_res(&f, address), key);
}

static const char *get(const char *address, const char *key)
{
	return res_get(bfx_res(&f, address), key);
}

static const char *fake_id(void *ctx, uint32_t res, enum computed what)
{
	static char id[64];

	(void)ctx;
	snprintf(id, sizeof id, "id%u.%d", res, (int)what);
	return id;
}

static const char *text_of(const char *address, const char *key)
{
	return batch_text(&f.a, val(address, key), fake_id, NULL);
}

/* Binding ------------------------------------------------------------------------------------- */

static void a_pair(void **state)
{
	const struct resource *j;

	(void)state;
	bfx_batch(&f, SETTINGS PAIR);
	assert_counts(&f, 0, 0);
	assert_int_equal(f.b.n, 2);
	j = bfx_res(&f, "synchronization_job.j");
	assert_int_equal(j->instance, 0);
	assert_int_equal(j->ndeps, 1);
	assert_int_equal(j->deps[0], 0);
	assert_string_equal(j->region, "cn-hangzhou");
	assert_string_equal(text_of("synchronization_job.j", "dts_instance_id"), "id0.0");
	assert_string_equal(get("synchronization_job.j", "db_list"),
	                    "{\"d\":{\"name\":\"d\",\"all\":true}}");
	assert_true(val("synchronization_job.j", "source_endpoint_password")->secret);
	assert_int_equal(j->life.timeout_create_ms, 20 * 60 * 1000);
	assert_int_equal(j->life.timeout_update_ms, 10 * 60 * 1000);
	assert_int_equal(j->life.on_gone, GONE_RECREATE);
}

static void empty_keys_are_absent(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS PAIR "source_endpoint_ip =\ncheckpoint = \nstatus =\n");
	assert_counts(&f, 0, 0);
	assert_int_equal(val("synchronization_job.j", "checkpoint")->state, V_UNSET);
	bfx_release(&f);
	bfx_init(&f);
	bfx_batch(&f, "[synchronization_instance.i]\npayment_type =\n");
	assert_said(&f, DIAG_ERROR, 1, 1, "payment_type is missing");
}

static void defaults_and_overrides(void **state)
{
	(void)state;
	bfx_parse(&f, "a.ini",
	          SETTINGS "[defaults.synchronization_instance]\ninstance_class = "
	                   "large\nprotect = true\n"
	                   "timeout_create = 1h\n");
	bfx_parse(&f, "b.ini",
	          "[defaults.synchronization_instance]\nsync_architecture = oneway\n"
	          "[synchronization_instance.a]\n" INSTANCE_KEYS
	          "[synchronization_instance.b]\ninstance_class = small\n"
	          "protect = false\nsync_architecture =\n" INSTANCE_KEYS);
	bfx_build(&f);
	assert_counts(&f, 0, 0);
	assert_string_equal(get("synchronization_instance.a", "instance_class"), "large");
	assert_string_equal(get("synchronization_instance.a", "sync_architecture"), "oneway");
	assert_string_equal(get("synchronization_instance.b", "instance_class"), "small");
	assert_null(get("synchronization_instance.b", "sync_architecture"));
	assert_true(bfx_res(&f, "synchronization_instance.a")->life.protect);
	assert_false(bfx_res(&f, "synchronization_instance.b")->life.protect);
	assert_int_equal(bfx_res(&f, "synchronization_instance.b")->life.timeout_create_ms,
	                 3600 * 1000);
	assert_int_equal(f.b.nfiles, 2);
	assert_string_equal(bfx_res(&f, "synchronization_instance.a")->file, "b.ini");
}

static void lifecycle_keys_are_read(void **state)
{
	const struct lifecycle *l;

	(void)state;
	bfx_batch(&f, SETTINGS "[synchronization_job.j]\n" BOUGHT
	                       "dts_job_name = j\nensure = absent\nimport_id = abc\n"
	                       "protect = true\nreplace = allowed\n"
	                       "endpoint_change = same-data\nignore = db_list, status\n"
	                       "was = old\non_destroy = forget\n"
	                       "on_gone = fail\ntimeout_delete = 90s\nskip_precheck = "
	                       "CHECK_SRC, CHECK_SAME_OBJ\nregion = cn-beijing\n");
	assert_counts(&f, 0, 0);
	l = &bfx_res(&f, "synchronization_job.j")->life;
	assert_true(l->absent && l->protect && l->replace_allowed && l->endpoint_same_data &&
	            l->destroy_forgets);
	assert_int_equal(l->on_gone, GONE_FAIL);
	assert_string_equal(l->import_id, "abc");
	assert_string_equal(l->was, "synchronization_job.old");
	assert_string_equal(l->skip_precheck, "CHECK_SRC, CHECK_SAME_OBJ");
	assert_int_equal(l->timeout_delete_ms, 90 * 1000);
	assert_true(attr_in(&l->ignore, attr_of(&type_job, "db_list")));
	assert_false(attr_in(&l->ignore, attr_of(&type_job, "dts_job_name")));
	assert_string_equal(bfx_res(&f, "synchronization_job.j")->region, "cn-beijing");
}

static void lifecycle_mistakes(void **state)
{
	(void)state;
	bfx_batch(
		&f, SETTINGS
		"[synchronization_instance.i]\n"              /* 3 */
		"ensure = gone\nprotect = yes\nreplace = 1\n" /* 4, 5, 6 */
		"ignore = instance_clas\non_gone = recreat\ntimeout_create = soon\n"
		"timeout_update = 0s\n" /* 7 - 10 */
		"was = i\nregion = Hangzhou\ndepends_on = "
		"synchronization_instance.x\nskip_precheck = CHECK_SRC, CHECK_CONN_SRC, CHECK_NEW,,\n" INSTANCE_KEYS
		"[synchronization_instance.k]\nskip_precheck = CHECK_SRC\n" INSTANCE_KEYS);
	assert_said(&f, DIAG_ERROR, 14, 17, "`CHECK_CONN_SRC` is none that can be skipped");
	assert_said(&f, DIAG_ERROR, 14, 17, "`CHECK_NEW` is none that can be skipped");
	assert_said(&f, DIAG_ERROR, 14, 17, "has an item without a name");
	assert_said(&f, DIAG_ERROR, 0, 17, "skip_precheck: an instance has no precheck");
	assert_said(&f, DIAG_ERROR, 4, 10, "`gone` is not known");
	assert_said(&f, DIAG_ERROR, 5, 11, "write `true`");
	assert_said(&f, DIAG_ERROR, 6, 11, "is not known");
	assert_said(&f, DIAG_ERROR, 7, 10, "did you mean instance_class?");
	assert_said(&f, DIAG_ERROR, 8, 11, "did you mean recreate?");
	assert_said(&f, DIAG_ERROR, 9, 18, "no duration");
	assert_said(&f, DIAG_ERROR, 10, 18, "too short");
	assert_said(&f, DIAG_ERROR, 11, 7, "the section itself");
	assert_said(&f, DIAG_ERROR, 12, 10, "no region");
	assert_said(&f, DIAG_ERROR, 13, 14, "there is no section [synchronization_instance.x]");
	assert_counts(&f, 15, 0);
}

static void former_names_and_imports_are_unique(void **state)
{
	(void)state;
	bfx_batch(&f,
	          SETTINGS "[synchronization_instance.a]\nwas = b\nimport_id = x\n" INSTANCE_KEYS
	                   "[synchronization_instance.b]\nwas = c\nimport_id = x\n" INSTANCE_KEYS
	                   "[synchronization_instance.d]\nwas = c\n" INSTANCE_KEYS);
	assert_said(&f, DIAG_ERROR, 4, 7, "[synchronization_instance.b] still exists");
	assert_said(&f, DIAG_ERROR, 13, 13, "import_id: synchronization_instance.a says the same");
	assert_said(&f, DIAG_ERROR, 20, 7, "was: synchronization_instance.b says the same");
	assert_counts(&f, 3, 0);
}

static void a_job_needs_its_instance(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS "[synchronization_instance.a]\nensure = absent\n" INSTANCE_KEYS
	                       "[synchronization_job.j]\n"
	                       "dts_instance_id = ${synchronization_instance.a.id}\n"
	                       "dts_job_name = j\n" JOB_KEYS
	                       "[synchronization_job.k]\nensure = absent\n"
	                       "dts_instance_id = ${synchronization_instance.a.id}\n"
	                       "dts_job_name = k\n" JOB_KEYS);
	assert_said(&f, DIAG_ERROR, 0, 19,
	            "its instance synchronization_instance.a has ensure = absent");
	assert_counts(&f, 1, 0);
}

static void settings_are_read(void **state)
{
	(void)state;
	bfx_batch(&f, "[dtsbatch]\nregion = cn-hangzhou\nendpoint = https://dts.example.com:8443\n"
	              "state = x/y.state.json\nadopt = ask\n"
	              "parallelism = 8\nsettle = 0s\nmax_changes = 5\nmax_deletes = 0\nmax_gone = "
	              "1\ndeadline = 25m\n"
	              "lock_timeout = 10s\nprune = true\n");
	assert_counts(&f, 0, 0);
	assert_string_equal(f.b.set.endpoint, "https://dts.example.com:8443");
	assert_string_equal(f.b.set.state, "x/y.state.json");
	assert_string_equal(f.b.set.adopt, "ask");
	assert_int_equal(f.b.set.parallelism, 8);
	assert_int_equal(f.b.set.settle_ms, 0);
	assert_int_equal(f.b.set.max_changes, 5);
	assert_int_equal(f.b.set.max_deletes, 0);
	assert_int_equal(f.b.set.max_gone, 1);
	assert_int_equal(f.b.set.deadline_ms, 25 * 60 * 1000);
	assert_int_equal(f.b.set.lock_timeout_ms, 10 * 1000);
	assert_int_equal(f.b.set.prune, 1);
	assert_string_equal(f.b.region, "cn-hangzhou");
}

static void settings_mistakes(void **state)
{
	(void)state;
	bfx_parse(&f, "a.ini",
	          "[dtsbatch]\nparallelism = 0\nprune = no\nadopt = never\nstate = "
	          "x.json\nendpoint = http://u@h/\n"
	          "lock_timout = 1s\nregion = cn-hangzhou\nsettle = 1s # short\n"
	          "max_gone = -1\n");
	bfx_parse(&f, "b.ini", "[dtsbatch]\nregion = cn-beijing\n");
	bfx_build(&f);
	assert_said(&f, DIAG_ERROR, 2, 15, "1 to 1000000");
	assert_said(&f, DIAG_ERROR, 3, 9, "write `false`");
	assert_said(&f, DIAG_ERROR, 4, 9, "auto/ask");
	assert_said(&f, DIAG_ERROR, 5, 9, ".state.json");
	assert_said(&f, DIAG_ERROR, 6, 12, "no endpoint");
	assert_said(&f, DIAG_ERROR, 7, 1, "did you mean lock_timeout?");
	assert_said(&f, DIAG_ERROR, 9, 10, "no inline comments");
	assert_said(&f, DIAG_ERROR, 10, 12, "no whole number");
	assert_said(&f, DIAG_ERROR, 2, 1,
	            "region is given twice; the first one stands at "
	            "a.ini:8:1");
	assert_counts(&f, 9, 0);
}

static void unset_settings(void **state)
{
	(void)state;
	bfx_batch(&f, "[dtsbatch]\n");
	assert_counts(&f, 0, 0);
	assert_null(f.b.region);
	assert_int_equal(f.b.set.prune, -1);
	assert_int_equal(f.b.set.settle_ms, -1);
	assert_int_equal(f.b.set.max_changes, -1);
}

/* Headers and keys
 * ------------------------------------------------------------------------------ */

static void headers_people_try(void **state)
{
	(void)state;
	bfx_batch(&f, "[alicloud_dts_synchronization_job.x]\na = 1\n[synchronization_job \"x\"]\n"
	              "[resource \"alicloud_dts_synchronization_instance\" \"orders\"]\n"
	              "[syncronization_job.y]\n[migration_job.x]\n"
	              "[dtsbach]\n[vars]\n[synchronization_job]\n[default.synchronization_job]\n"
	              "[defaults.job]\n[x]\n"
	              "[synchronization_job.a b]\n[synchronization_job.x[\"a\"]]\n"
	              "[synchronization_instance.]\n");
	assert_said(&f, DIAG_ERROR, 1, 1, "write [synchronization_job.x]");
	assert_said(&f, DIAG_ERROR, 3, 1, "write [synchronization_job.x]");
	assert_said(&f, DIAG_ERROR, 4, 1, "write [synchronization_instance.orders]");
	assert_said(&f, DIAG_ERROR, 5, 1, "write [synchronization_job.y]");
	assert_said(&f, DIAG_ERROR, 6, 1, "not in this version");
	assert_said(&f, DIAG_ERROR, 7, 1, "write [dtsbatch]");
	assert_said(&f, DIAG_ERROR, 8, 1, "write [variables]");
	assert_said(&f, DIAG_ERROR, 9, 1, "write [synchronization_job.NAME]");
	assert_said(&f, DIAG_ERROR, 10, 1, "write [defaults.synchronization_job]");
	assert_said(&f, DIAG_ERROR, 11, 1, "write [defaults.synchronization_job]");
	assert_said(&f, DIAG_ERROR, 12, 1, "sections are");
	assert_said(&f, DIAG_ERROR, 13, 1, "[synchronization_job.a-b]");
	assert_said(&f, DIAG_ERROR, 14, 1, "for_each");
	assert_said(&f, DIAG_ERROR, 15, 1, "the name is missing");
	assert_counts(&f, 14, 0);
}

static void over_long_name(void **state)
{
	(void)state;
	bfx_batch(&f, "[synchronization_job."
	              "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345]\n");
	assert_said(&f, DIAG_ERROR, 1, 1, "name of 65 bytes; a name has at most 64");
	assert_counts(&f, 1, 0);
}

static void duplicate_sections(void **state)
{
	(void)state;
	bfx_parse(&f, "a.ini", SETTINGS "[synchronization_instance.i]\n" INSTANCE_KEYS);
	bfx_parse(&f, "b.ini", "\n[synchronization_instance.i]\n" INSTANCE_KEYS);
	bfx_build(&f);
	assert_said(&f, DIAG_ERROR, 2, 1,
	            "[synchronization_instance.i] is given twice; the first "
	            "one stands at a.ini:3:1");
	assert_counts(&f, 1, 0);
}

static void unknown_keys(void **state)
{
	(void)state;
	bfx_batch(&f,
	          SETTINGS "[synchronization_instance.i]\nclass = large\ntopology = oneway\n"
	                   "synchronization_direction = Forward\n"
	                   "instnce_class = small\nparallelism = 1\n  statsu = x\n" INSTANCE_KEYS);
	assert_said(&f, DIAG_ERROR, 4, 1, "did you mean instance_class?");
	assert_said(&f, DIAG_ERROR, 5, 1, "explain synchronization_instance");
	assert_said(&f, DIAG_ERROR, 6, 1, "it belongs to [synchronization_job.NAME]");
	assert_said(&f, DIAG_ERROR, 7, 1, "did you mean instance_class?");
	assert_said(&f, DIAG_ERROR, 8, 1, "it belongs to [dtsbatch]");
	assert_said(&f, DIAG_ERROR, 9, 3, "no key statsu");
	assert_counts(&f, 6, 0);
}

static void a_misspelt_key_is_not_missing_too(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS "[synchronization_instance.i]\npaymenttype = PayAsYouGo\n"
	                       "source_endpoint_engine_name = MySQL\nsource_endpoint_region = "
	                       "cn-hangzhou\n"
	                       "destination_endpoint_engine_name = MySQL\n"
	                       "destination_endpoint_region = cn-hangzhou\n");
	assert_said(&f, DIAG_ERROR, 4, 1, "did you mean payment_type?");
	assert_counts(&f, 1, 0);
}

static void missing_keys(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS "[synchronization_instance.i]\npayment_type = PayAsYouGo\n");
	assert_said(&f, DIAG_ERROR, 3, 1, "source_endpoint_region is missing");
	assert_said(&f, DIAG_ERROR, 3, 1, "destination_endpoint_engine_name is missing");
	assert_counts(&f, 4, 0);
}

static void a_job_needs_an_instance_or_a_purchase(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS "[synchronization_job.j]\ndts_job_name = j\n" JOB_KEYS);
	assert_said(&f, DIAG_ERROR, 3, 1, "dts_instance_id is missing");
	assert_counts(&f, 1, 0);
}

static void broken_sections_lack_nothing(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS "[synchronization_instance.i]\npayment_type: PayAsYouGo\n");
	assert_counts(&f, 1, 0);
}

static void values_of_the_wrong_kind(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS "[synchronization_instance.i]\n" INSTANCE_KEYS
	                       "quantity = one\nauto_pay = 1\ninstance_class = tiny\n");
	assert_said(&f, DIAG_ERROR, 9, 12, "no whole number");
	assert_said(&f, DIAG_ERROR, 10, 12, "write `true`");
	assert_said(&f, DIAG_WARNING, 11, 18, "unknown value `tiny`");
	assert_counts(&f, 2, 1);
}

static void quotes(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS PAIR "dedicated_cluster_id = \"x\"\n");
	assert_said(&f, DIAG_ERROR, 0, 24, "quotes are literal here; remove them");
	bfx_release(&f);
	bfx_init(&f);
	bfx_batch(&f, "[dtsbatch]\nregion = 'cn'\n[variables]\nv = \"1\"\n[synchronization_job.j]\n"
	              "db_list = \"{\\\"d\\\":{\\\"name\\\":\\\"d\\\"}}\"\n"
	              "source_endpoint_password = \"begin-and-end'\n");
	assert_said(&f, DIAG_ERROR, 2, 10, "quotes");
	assert_said(&f, DIAG_ERROR, 4, 5, "quotes");
	assert_said(&f, DIAG_ERROR, 6, 11, "write db_list = {\"d\":{\"name\":\"d\"}}");
	assert_said(&f, DIAG_WARNING, 7, 28, "plain text");
	assert_null(strstr(f.d.v[3].msg, "begin-and-end"));
}

static void inline_comments(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS "[variables]\nv = x ; y\n" PAIR);
	assert_said(&f, DIAG_WARNING, 4, 7, "part of the value");
	assert_counts(&f, 0, 1);
}

static void secrets_and_ids_stay_on_their_line(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS "[synchronization_job.j]\nsource_endpoint_password = ${env:PW}\n   "
	                       "more\ndts_instance_id = dts\n x\n");
	assert_said(&f, DIAG_ERROR, 5, 4, "a secret is never continued");
	assert_said(&f, DIAG_ERROR, 7, 2, "an id is never continued");
}

static void one_class_for_a_pair(void **state)
{
	(void)state;
	bfx_batch(&f,
	          SETTINGS "[synchronization_instance.i]\ninstance_class = 2xlarge\n" INSTANCE_KEYS
	                   "[synchronization_job.j]\ninstance_class = xxlarge\ndts_job_name = "
	                   "j\n"
	                   "dts_instance_id = ${synchronization_instance.i.id}\n" JOB_KEYS
	                   "[synchronization_job.k]\ninstance_class = small\ndts_job_name = k\n"
	                   "dts_instance_id = ${synchronization_instance.i.id}\n" JOB_KEYS);
	assert_said(&f, DIAG_ERROR, 0, 18,
	            "instance_class: small here, but 2xlarge in "
	            "[synchronization_instance.i] at m.ini:4:18");
}

/* JSON
 * ------------------------------------------------------------------------------------------ */

static void json_mistakes_stand_in_the_manifest(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS "[synchronization_job.j]\ndb_list = {\n    \"a\": {\"name\": \"a\", "
	                       "\"all\": true},\n"
	                       "# a comment\n    \"b\": {\"name\" \"b\"},\n  }\n"
	                       "[synchronization_job.k]\n"
	                       "db_list = {\n  \"a\": {\"all\": true},\n  \"a\": {\"all\": true}\n"
	                       "}\n");
	assert_said(&f, DIAG_ERROR, 7, 18, "no JSON");
	assert_said(&f, DIAG_ERROR, 12, 3, "the first one stands at m.ini:11:3");
}

static void json_from_a_file(void **state)
{
	static const struct fx_pair files[] = {{"good.json", "\xef\xbb\xbf{\"x\": {\"name\": "
	                                                     "\"x\", \"all\": true}}\n"},
	                                       {"bad.json", "{\n  \"x\": nope\n}\n"},
	                                       {"empty.json", "\n"},
	                                       {"eu.json", "{\"eu\": {\"name\": \"e\", \"all\": "
	                                                   "true}}"},
	                                       {NULL, NULL}};

	(void)state;
	f.files = files;
	bfx_parse(&f, "dir/m.ini",
	          SETTINGS "[synchronization_job.g]\n" BOUGHT
	                   "dts_job_name = g\n[synchronization_job.b]\ndb_list = "
	                   "@bad.json\n"
	                   "[synchronization_job.m]\ndb_list = @missing.json\n"
	                   "[synchronization_job.e]\ndb_list = @empty.json\n"
	                   "[synchronization_job.l]\nfor_each = eu\ndb_list = "
	                   "@${each}.json\n"
	                   "[synchronization_job.h]\ndb_list = @good.json\n");
	bfx_build(&f);
	assert_string_equal(get("synchronization_job.h", "db_list"),
	                    "{\"x\":{\"name\":\"x\",\"all\":true}}");
	assert_string_equal(get("synchronization_job.l[\"eu\"]", "db_list"),
	                    "{\"eu\":{\"name\":\"e\",\"all\":true}}");
	assert_said(&f, DIAG_ERROR, 2, 8, "no JSON");
	assert_said(&f, DIAG_ERROR, 0, 11, "missing.json: no such file");
	assert_said(&f, DIAG_ERROR, 0, 11, "empty.json is empty");
	for (size_t i = 0; i < f.d.n; i++)
		if (strstr(f.d.v[i].msg, "no JSON"))
			assert_string_equal(f.d.v[i].pos.file, "dir/bad.json");
}

static void references_in_json(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS "[variables]\nq = a\"b\\c\nlist = {\"d\": {\"name\": \"d\", "
	                       "\"all\": true}}\n"
	                       /* db_list of its own */
	                       "[synchronization_instance.i]\n" INSTANCE_KEYS
	                       "[synchronization_job.a]\n" BOUGHT "dts_job_name = a\n"
	                       "[synchronization_job.b]\ndb_list = {\"d\": {\"name\": "
	                       "\"${var.q}\", \"all\": true, \"Table\": {\n"
	                       "  \"${synchronization_instance.i.id}\": {\"name\": \"t\", \"all\": "
	                       "true, \"filter\": \"x > '$${'\"}}}}\n"
	                       "[synchronization_job.c]\ndb_list = ${var.list}\n"
	                       "[synchronization_job.d]\ndb_list = "
	                       "${synchronization_job.a.db_list}\n"
	                       "[synchronization_job.e]\ndb_list = {\"d\": {\"all\": ${var.q}}}\n");
	assert_string_equal(text_of("synchronization_job.b", "db_list"),
	                    "{\"d\":{\"name\":\"a\\\"b\\\\c\",\"all\":true,"
	                    "\"Table\":{\"id0.0\":{\"name\":\"t\",\"all\":true,"
	                    "\"filter\":\"x > '${'\"}}}}");
	assert_string_equal(get("synchronization_job.c", "db_list"),
	                    "{\"d\":{\"name\":\"d\",\"all\":true}}");
	assert_string_equal(get("synchronization_job.d", "db_list"),
	                    "{\"d\":{\"name\":\"d\",\"all\":true}}");
	assert_said(&f, DIAG_ERROR, 0, 25, "inside JSON a reference stands in a string");
}

/* References
 * -------------------------------------------------------------------------------------- */

static void variables(void **state)
{
	static const char *const vars[] = {"env=test", "extra=7"};

	(void)state;
	f.o.vars = vars;
	f.o.nvars = 2;
	bfx_batch(&f,
	          "[dtsbatch]\nregion = cn-${var.city}\nparallelism = ${var.extra}\n"
	          "[variables]\nname = ${var.base}-${region}\n"
	          "base = db$${x}\ncity = hangzhou\nenv = prod\n"
	          "[synchronization_job.j]\n" BOUGHT "dts_job_name = ${var.name}.${var.env}.$x$\n");
	assert_counts(&f, 0, 0);
	assert_string_equal(get("synchronization_job.j", "dts_job_name"),
	                    "db${x}-cn-hangzhou.test.$x$");
	assert_int_equal(f.b.set.parallelism, 7);
}

static void inserted_text_is_not_expanded_again(void **state)
{
	static const struct fx_pair env[] = {{"PW", "${env:OTHER}"}, {"OTHER", "no"}, {NULL, NULL}};
	static const char *const vars[] = {"v=${var.w}"};

	(void)state;
	f.env = env;
	f.o.vars = vars;
	f.o.nvars = 1;
	bfx_batch(&f, SETTINGS "[variables]\nv = x\n"
	                       "[synchronization_job.j]\n" BOUGHT "dts_job_name = ${var.v}\n");
	assert_counts(&f, 0, 0);
	assert_string_equal(get("synchronization_job.j", "dts_job_name"), "${var.w}");
	assert_string_equal(get("synchronization_job.j", "source_endpoint_password"),
	                    "${env:OTHER}");
}

static void variable_mistakes(void **state)
{
	static const char *const vars[] = {"nam=x", "noequals", "used=1"};

	(void)state;
	f.o.vars = vars;
	f.o.nvars = 3;
	bfx_batch(&f, "[variables]\na = ${var.b}\nb = ${var.c}\nc = ${var.a}\nd = ${var.d}\nname = "
	              "y\ne = ${each}\n"
	              "[synchronization_job.j]\n" BOUGHT
	              "dts_job_name = ${var.nme}${var.a}${var.used}\nstatus = ${region}\n");
	assert_said(&f, DIAG_ERROR, 0, 0, "in a circle: ");
	assert_said(&f, DIAG_ERROR, 7, 5, "a variable cannot hold this reference: each");
	assert_said(&f, DIAG_ERROR, 0, 16, "did you mean ${var.name}?");
	assert_said(&f, DIAG_ERROR, 0, 10, "there is no region");
	assert_said(&f, DIAG_ERROR, 0, 0, "--var nam: no section declares or uses");
	assert_said(&f, DIAG_ERROR, 0, 0, "--var noequals");
	assert_counts(&f, 6, 0);
}

static void region_option_wins(void **state)
{
	(void)state;
	f.o.region = "cn-beijing";
	bfx_batch(&f, SETTINGS "[synchronization_job.j]\n" BOUGHT "dts_job_name = ${region}\n"
	                       "[synchronization_job.k]\n" BOUGHT
	                       "region = cn-qingdao\ndts_job_name = ${region}\n");
	assert_string_equal(f.b.region, "cn-beijing");
	assert_string_equal(get("synchronization_job.j", "dts_job_name"), "cn-beijing");
	assert_string_equal(get("synchronization_job.k", "dts_job_name"), "cn-qingdao");
}

static void attributes_of_others(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS
	          "[synchronization_job.c]\n" BOUGHT "dts_job_name = "
	          "${synchronization_job.b.dts_job_name}!\n"
	          "[synchronization_job.b]\n" BOUGHT
	          "dts_job_name = <${synchronization_job.a.dts_job_name}>\n"
	          "[synchronization_job.a]\n" BOUGHT "dts_job_name = x\n"
	          "[synchronization_job.d]\n" BOUGHT "dts_job_name = "
	          "${synchronization_job.a.dts_instance_id}/${synchronization_job.a.job_id}/"
	          "${synchronization_job.a.status}\n"
	          "[synchronization_job.e]\n" BOUGHT
	          "dts_job_name = ${synchronization_job.d.dts_job_name}+\n");
	assert_counts(&f, 0, 0);
	assert_string_equal(get("synchronization_job.c", "dts_job_name"), "<x>!");
	assert_string_equal(text_of("synchronization_job.d", "dts_job_name"), "id2.1/id2.2/id2.3");
	assert_string_equal(text_of("synchronization_job.e", "dts_job_name"), "id2.1/id2.2/id2.3+");
	assert_int_equal(bfx_res(&f, "synchronization_job.c")->ndeps, 1);
}

static void reference_mistakes(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS "[synchronization_job.a]\n" BOUGHT "dts_job_name = a\n" /* 25 */
	                       "[synchronization_job.b]\n"
	                       "dts_job_name = ${synchronization_job.x.id}\n"
	                       "source_endpoint_ip = ${synchronization_job.a.source_endpoint_ip}\n"
	                       "source_endpoint_user_name = "
	                       "${synchronization_job.a.sorce_endpoint_user_name}\n"
	                       "source_endpoint_port = ${synchronization_job.a.id}\n"
	                       "status = ${SOURCE}\n"
	                       "destination_endpoint_ip = ${synchronization_job.a.id\n"
	                       "destination_endpoint_role = ${env:NOPE}\n"
	                       "source_endpoint_role = ${synchronization_job.a}\n"
	                       "dest_primary_vswitch_id = ${synchronization_job.a[\"x\"].id}\n");
	assert_said(&f, DIAG_ERROR, 0, 16, "there is no section [synchronization_job.x]");
	assert_said(&f, DIAG_ERROR, 0, 22, "synchronization_job.a has no source_endpoint_ip");
	assert_said(&f, DIAG_ERROR, 0, 29, "did you mean source_endpoint_user_name?");
	assert_said(&f, DIAG_ERROR, 0, 24, "known after apply");
	assert_said(&f, DIAG_ERROR, 0, 10, "${env:SOURCE}");
	assert_said(&f, DIAG_ERROR, 0, 27, "never closed");
	assert_said(&f, DIAG_ERROR, 0, 29, "environment variable NOPE is not set");
	assert_said(&f, DIAG_ERROR, 0, 24, "incomplete reference");
	assert_said(&f, DIAG_ERROR, 0, 27, "it has no for_each");
}

static void circles(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS "[synchronization_job.a]\n" BOUGHT "dts_job_name = "
	                       "${synchronization_job.b.dts_job_name}\n"
	                       "[synchronization_job.b]\n" BOUGHT
	                       "dts_job_name = x\ndepends_on = synchronization_job.c\n"
	                       "[synchronization_job.c]\n" BOUGHT
	                       "dts_job_name = ${synchronization_job.a.id}\n"
	                       "[synchronization_job.d]\n" BOUGHT
	                       "dts_job_name = ${synchronization_job.d.dts_job_name}\n");
	assert_said(&f, DIAG_ERROR, 0, 16,
	            "in a circle: synchronization_job.a -> synchronization_job.b -> "
	            "synchronization_job.c -> synchronization_job.a");
	assert_said(&f, DIAG_ERROR, 0, 16, "synchronization_job.d refers to itself");
	assert_counts(&f, 2, 0);
}

/* for_each
 * ---------------------------------------------------------------------------------------- */

static void repetition(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS
	          "[synchronization_instance.p]\nfor_each = eu, us west,\n  asia,\n" INSTANCE_KEYS
	          "[synchronization_job.p]\nfor_each = eu, us west, asia\n"
	          "dts_instance_id = ${synchronization_instance.p[\"${each}\"].id}\n"
	          "dts_job_name = orders-${each}\n"
	          "was = q\n" JOB_KEYS
	          "[synchronization_job.one]\ndepends_on = synchronization_job.p, "
	          "synchronization_instance.p[\"eu\"]\n"
	          "dts_instance_id = x\ndts_job_name = one\n" JOB_KEYS);
	assert_counts(&f, 0, 0);
	assert_int_equal(f.b.n, 7);
	assert_string_equal(get("synchronization_job.p[\"us west\"]", "dts_job_name"),
	                    "orders-us west");
	assert_string_equal(text_of("synchronization_job.p[\"asia\"]", "dts_instance_id"), "id2.0");
	assert_int_equal(bfx_res(&f, "synchronization_job.p[\"asia\"]")->instance, 2);
	assert_string_equal(bfx_res(&f, "synchronization_job.p[\"eu\"]")->life.was,
	                    "synchronization_job.q[\"eu\"]");
	assert_int_equal(bfx_res(&f, "synchronization_job.one")->ndeps, 4);
	/* What is equal is there once. */
	assert_ptr_equal(get("synchronization_job.p[\"eu\"]", "db_list"),
	                 get("synchronization_job.p[\"asia\"]", "db_list"));
	assert_ptr_equal(get("synchronization_job.p[\"eu\"]", "source_endpoint_password"),
	                 get("synchronization_job.p[\"asia\"]", "source_endpoint_password"));
}

static void items_from_a_file(void **state)
{
	static const struct fx_pair files[] = {{"list", "\xef\xbb\xbfone\r\n\n# no\n  two \nthree"},
	                                       {"twice", "a\nb\n a\n"},
	                                       {NULL, NULL}};

	(void)state;
	f.files = files;
	bfx_batch(&f, SETTINGS "[synchronization_instance.p]\nfor_each = @list\n" INSTANCE_KEYS
	                       "[synchronization_instance.q]\nfor_each = @twice\n" INSTANCE_KEYS
	                       "[synchronization_instance.r]\nfor_each = @nowhere\n" INSTANCE_KEYS);
	assert_int_equal(f.b.n, 3);
	bfx_res(&f, "synchronization_instance.p[\"two\"]");
	assert_said(&f, DIAG_ERROR, 3, 2, "`a` is given twice; the first one stands at twice:1:1");
	assert_said(&f, DIAG_ERROR, 0, 12, "nowhere: no such file");
	assert_counts(&f, 2, 0);
}

static void for_each_mistakes(void **state)
{
	(void)state;
	/* 4 */
	bfx_batch(&f, SETTINGS
	          "[synchronization_instance.a]\nfor_each = x, y, x\n" INSTANCE_KEYS
	          /* 11 */
	          "[synchronization_instance.b]\nfor_each = x, \"y\"z, , w\n" INSTANCE_KEYS
	          /* 18 */
	          "[synchronization_instance.c]\nfor_each = [\"x\"]\n" INSTANCE_KEYS
	          "[synchronization_instance.d]\n" INSTANCE_KEYS "instance_class = ${each}\n"
	          "[synchronization_instance.e]\nfor_each = k, l\n" INSTANCE_KEYS
	          "[synchronization_job.f]\ndts_instance_id = "
	          "${synchronization_instance.e.id}\n"
	          "dts_job_name = "
	          "${synchronization_instance.e[\"m\"].id}${synchronization_instance.a[\"q\"].id}\n"
	          "[synchronization_job.g]\nfor_each = k, l\ndepends_on = "
	          "synchronization_instance.e\n");
	assert_said(&f, DIAG_ERROR, 4, 18,
	            "`x` is given twice; the first one stands at "
	            "m.ini:4:12");
	assert_said(&f, DIAG_ERROR, 11, 15, "cannot stand in the item");
	assert_said(&f, DIAG_ERROR, 11, 21, "an item is missing");
	assert_said(&f, DIAG_ERROR, 18, 12, "no brackets");
	assert_said(&f, DIAG_ERROR, 0, 18, "cannot hold this reference: each");
	assert_said(&f, DIAG_ERROR, 0, 19, "synchronization_instance.e is repeated");
	assert_said(&f, DIAG_ERROR, 0, 16, "has no item `m`");
	assert_said(&f, DIAG_ERROR, 0, 14, "stands for 2 resources");
	/* its list could not be read */
	assert_false(bfx_said(&f, DIAG_ERROR, 0, 0, "has no item `q`"));
}

static void one_mistake_is_not_told_for_every_item(void **state)
{
	(void)state;
	bfx_batch(&f, SETTINGS
	          "[synchronization_instance.a]\nfor_each = 1,2,3,4,5,6,7,8,9\n" INSTANCE_KEYS
	          "instance_class = x${each}\nquantity = n${each}\nauto_pay = "
	          "${env:NOPE}\n");
	assert_true(f.d.n <= 3 + 3 + 1);
	assert_true(f.d.errors >= 10);
}

/* Secrets
 * ----------------------------------------------------------------------------------------- */

static void secret_files(void **state)
{
	static const struct fx_pair files[] = {{"lf", "one\n"},          {"crlf", "two\r\n"},
	                                       {"none", " three "},      {"more", "a\nb\n\n"},
	                                       {"bom", "\xef\xbb\xbfx"}, {"empty", "\n"},
	                                       {"cred:c", "cred\n"},     {NULL, NULL}};

	(void)state;
	f.files = files;
	bfx_batch(&f, SETTINGS "[synchronization_job.a]\nsource_endpoint_password = ${file:lf}\n"
	                       "destination_endpoint_password = ${file:crlf}\n"
	                       "[synchronization_job.b]\nsource_endpoint_password = ${file:none}\n"
	                       "destination_endpoint_password = ${cred:c}\n"
	                       "[synchronization_job.c]\nsource_endpoint_password = ${file:more}\n"
	                       "destination_endpoint_password = ${file:bom}\n"
	                       "[synchronization_job.d]\nsource_endpoint_password = ${file:empty}\n"
	                       "source_endpoint_user_name = ${file:lf}\n"
	                       "destination_endpoint_password = ${file:lf}\n");
	assert_string_equal(get("synchronization_job.a", "source_endpoint_password"), "one");
	assert_string_equal(get("synchronization_job.a", "destination_endpoint_password"), "two");
	assert_string_equal(get("synchronization_job.b", "source_endpoint_password"), " three ");
	assert_string_equal(get("synchronization_job.b", "destination_endpoint_password"), "cred");
	assert_string_equal(get("synchronization_job.c", "source_endpoint_password"), "a\nb\n");
	assert_said(&f, DIAG_WARNING, 10, 28, "further line end");
	assert_said(&f, DIAG_WARNING, 11, 33, "byte order mark");
	assert_said(&f, DIAG_ERROR, 13, 28, "empty is empty");
	assert_true(val("synchronization_job.d", "source_endpoint_user_name")->secret);
	assert_int_equal(f.reads, 7); /* each file once */
}

static void missing_secrets(void **state)
{
	static const struct fx_pair env[] = {{"EMPTY", ""}, {NULL, NULL}};
	const struct value *v;

	(void)state;
	f.env = env;
	bfx_batch(&f, SETTINGS
	          "[variables]\npw = ${env:PW}\n[synchronization_instance.i]\n" INSTANCE_KEYS
	          "[synchronization_job.j]\ndts_instance_id = "
	          "${synchronization_instance.i.id}\ndts_job_name = j\n" JOB_ENDPOINTS JOB_LIST
	          "source_endpoint_password = x${env:PW}\n"
	          "destination_endpoint_password = ${var.pw}\n"
	          "[synchronization_job.k]\ndts_instance_id = dtsx\ndts_job_name = "
	          "j\n" JOB_ENDPOINTS JOB_LIST "source_endpoint_password = ${file:gone}\n"
	          "destination_endpoint_password = ${env:EMPTY}\n");
	assert_counts(&f, 0, 0);
	assert_true(f.b.missing_secrets);
	v = val("synchronization_job.j", "source_endpoint_password");
	assert_int_equal(v->state, V_MISSING);
	assert_string_equal(v->missing, "environment variable PW is not set");
	assert_int_equal(v->pos.col, 29);
	assert_int_equal(val("synchronization_job.j", "destination_endpoint_password")->state,
	                 V_MISSING);
	assert_string_equal(val("synchronization_job.k", "source_endpoint_password")->missing,
	                    "gone: no such file");
	assert_string_equal(val("synchronization_job.k", "destination_endpoint_password")->missing,
	                    "environment variable EMPTY is empty");
}

static void missing_secrets_in_the_simulation(void **state)
{
	static const struct fx_pair none[] = {{NULL, NULL}};

	(void)state;
	f.env = none;
	f.o.simulate = true;
	bfx_batch(&f, SETTINGS PAIR);
	assert_counts(&f, 0, 0);
	assert_said(&f, DIAG_NOTE, 0, 0, "made-up");
	assert_non_null(get("synchronization_job.j", "source_endpoint_password"));
	assert_false(f.b.missing_secrets);
}

static void literal_secrets(void **state)
{
	static const char text[] = SETTINGS "[variables]\npw = hunter22\n"
					    "[synchronization_instance.i]\n" INSTANCE_KEYS
					    "[synchronization_job.j]\ndts_instance_id = "
					    "${synchronization_instance.i.id}\n"
					    "dts_job_name = j\n" JOB_ENDPOINTS JOB_LIST
					    "source_endpoint_password = p;1$${8}\n"
					    "destination_endpoint_password = ${var.pw}\n";

	(void)state;
	bfx_batch(&f, text);
	assert_counts(&f, 0, 2);
	assert_string_equal(get("synchronization_job.j", "source_endpoint_password"), "p;1${8}");
	for (size_t i = 0; i < f.d.n; i++)
		assert_null(strstr(f.d.v[i].msg, "hunter22"));
	bfx_release(&f);
	bfx_init(&f);
	f.o.strict = true;
	bfx_batch(&f, text);
	assert_counts(&f, 2, 0);
}

static void secrets_inside_reserve(void **state)
{
	static const struct fx_pair files[] = {{"cert", "-----BEGIN\n\"X\"\n"}, {NULL, NULL}};
	static const char head[] = SETTINGS "[synchronization_job.j]\nreserve = ";
	char text[512];

	(void)state;
	f.files = files;
	snprintf(text, sizeof text, "%s%s", head,
	         "{\"destPassword\": \"${env:PW}\", \"a\": "
	         "\"b\"}\n");
	bfx_batch(&f, text);
	assert_string_equal(get("synchronization_job.j", "reserve"),
	                    "{\"destPassword\":\"s3cret\",\"a\":\"b\"}");
	/* the member is hidden by its name */
	assert_false(val("synchronization_job.j", "reserve")->secret);
	assert_string_equal(secret_mask(&f.a, "x s3cret y"), "x *** y");

	bfx_release(&f);
	bfx_init(&f);
	f.files = files;
	snprintf(text, sizeof text, "%s%s", head, "{\"plain\": \"${file:cert}\"}\n");
	bfx_batch(&f, text);
	assert_true(val("synchronization_job.j", "reserve")->secret);

	bfx_release(&f);
	bfx_init(&f);
	snprintf(text, sizeof text, "%s%s", head, "{\"destPassword\": \"${env:NOPE}\"}\n");
	bfx_batch(&f, text);
	assert_int_equal(val("synchronization_job.j", "reserve")->state, V_MISSING);

	bfx_release(&f);
	bfx_init(&f);
	snprintf(text, sizeof text, "%s%s", head,
	         "{\"plain\": \"${env:NOPE}\", \"destPassword\": "
	         "\"lit\"}\n");
	bfx_batch(&f, text);
	assert_said(&f, DIAG_ERROR, 4, 22, "NOPE is not set");

	bfx_release(&f);
	bfx_init(&f);
	snprintf(text, sizeof text, "%s%s", head, "{\"destPassword\": \"lit\"}\n");
	bfx_batch(&f, text);
	assert_said(&f, DIAG_WARNING, 4, 11, "plain text");
}

static void secrets_do_not_show(void **state)
{
	static const struct fx_pair files[] = {
		{"pw", "hunter22\n"}, {"port", "3306\n"}, {"bin", "\xff\xfe"}, {NULL, NULL}};

	(void)state;
	f.files = files;
	bfx_batch(&f, "[dtsbatch]\nregion = ${var.p}\nstate = ${var.p}\n[variables]\np = "
	              "${file:pw}\n"
	              "[synchronization_instance.i]\nfor_each = ${var.p}, b\n"
	              "[synchronization_job.j]\nstatus = ${file:pw}\n"
	              "source_endpoint_port = ${file:pw}\ndestination_endpoint_port = "
	              "${file:port}\ndb_list = @${var.p}\n"
	              "delay_phone = ${file:pw}\ntags = ${var.p}\nimport_id = ${var.p}\n"
	              "dts_bis_label = ${file:${var.p}}\n"
	              "source_endpoint_role = ${file:bin}\ndepends_on = ${var.p}\n"
	              "source_endpoint_password = hunter22\nhunter22\nhunter22! = x\n");
	for (size_t i = 0; i < f.d.n; i++) {
		assert_null(strstr(f.d.v[i].msg, "hunter22"));
		assert_true(!f.d.v[i].hint || !strstr(f.d.v[i].hint, "hunter22"));
	}
	assert_said(&f, DIAG_ERROR, 2, 10, "cannot stand here");
	assert_said(&f, DIAG_ERROR, 3, 9, "cannot stand here");
	assert_said(&f, DIAG_ERROR, 7, 12, "cannot stand here");
	assert_said(&f, DIAG_ERROR, 10, 24, "the secret file does not hold");
	assert_string_equal(get("synchronization_job.j", "destination_endpoint_port"), "3306");
	assert_true(val("synchronization_job.j", "destination_endpoint_port")->secret);
	assert_said(&f, DIAG_ERROR, 17, 24, "no valid UTF-8");
	assert_said(&f, DIAG_ERROR, 20, 1, "expected `key = value`, found this");
}

/* Size
 * -------------------------------------------------------------------------------------------- */

static void too_many_resources(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 16 << 20);
	buf_puts(&b, SETTINGS "[synchronization_instance.p]\nensure = absent\nfor_each = ");
	for (int i = 0; i < 60000; i++)
		buf_printf(&b, "%d,", i);
	buf_puts(&b, "\n[synchronization_instance.q]\nensure = absent\nfor_each = ");
	for (int i = 0; i < 60000; i++)
		buf_printf(&b, "%d,", i);
	buf_puts(&b, "\n[synchronization_instance.r]\n");
	bfx_batch(&f, buf_str(&b));
	buf_release(&b);
	assert_said(&f, DIAG_ERROR, 0, 1, "more than 100000 resources");
	assert_counts(&f, 1, 0);
	assert_int_equal(f.b.n, 60000);
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double build_items(int n, bool chain)
{
	struct buf b;
	double t;

	bfx_release(&f);
	bfx_init(&f);
	buf_init(&b, 64 << 20);
	buf_puts(&b, SETTINGS);
	for (int k = 0; chain && k < n; k++) {
		buf_printf(&b, "[synchronization_instance.c%d]\nensure = absent\n", k);
		if (k)
			buf_printf(&b, "depends_on = synchronization_instance.c%d\n", k - 1);
	}
	for (int k = 0; !chain && k < 2; k++) {
		buf_puts(&b, k ? "[synchronization_job.p]\nfor_each = "
		               : "[synchronization_instance.p]\nfor_each = ");
		for (int i = 0; i < n; i++)
			buf_printf(&b, "%sitem%d", i ? "," : "", i);
		buf_puts(&b, "\n");
		buf_puts(&b, k ? "dts_instance_id = ${synchronization_instance.p[\"${each}\"].id}\n"
		                 "dts_job_name = j${each}\n" JOB_KEYS
		               : INSTANCE_KEYS);
	}
	t = cpu_ms();
	bfx_batch(&f, buf_str(&b));
	t = cpu_ms() - t;
	buf_release(&b);
	assert_counts(&f, 0, 0);
	return t;
}

/* Ten times as much costs about ten times as much: a square law would be a hundred. */
static void cost_is_linear(void **state)
{
	(void)state;
	for (int chain = 0; chain < 2; chain++) {
		double small = build_items(2000, chain), large = build_items(20000, chain);

		print_message("%s: 2000 %.1f ms, 20000 %.1f ms\n", chain ? "chain" : "pairs", small,
		              large);
		assert_true(large < 30 * (small < 1 ? 1 : small));
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		T(a_pair), T(empty_keys_are_absent), T(defaults_and_overrides),
		T(lifecycle_keys_are_read), T(lifecycle_mistakes),
		T(former_names_and_imports_are_unique), T(a_job_needs_its_instance), T(settings_mistakes),
		T(former_names_and_imports_are_unique), T(settings_are_read), T(settings_mistakes),
		T(unset_settings), T(headers_people_try), T(over_long_name), T(duplicate_sections),
		T(unknown_keys), T(a_misspelt_key_is_not_missing_too), T(missing_keys),
		T(a_job_needs_an_instance_or_a_purchase), T(broken_sections_lack_nothing),
		T(values_of_the_wrong_kind), T(quotes), T(inline_comments),
		T(secrets_and_ids_stay_on_their_line), T(one_class_for_a_pair),
		T(json_mistakes_stand_in_the_manifest), T(json_from_a_file), T(references_in_json),
		T(variables), T(inserted_text_is_not_expanded_again), T(variable_mistakes),
		T(region_option_wins), T(attributes_of_others), T(reference_mistakes), T(circles),
		T(repetition), T(items_from_a_file), T(for_each_mistakes),
		T(one_mistake_is_not_told_for_every_item), T(secret_files), T(missing_secrets),
		T(missing_secrets_in_the_simulation), T(literal_secrets),
		T(secrets_inside_reserve), T(secrets_do_not_show), T(too_many_resources),
		T(cost_is_linear),
	};
	/* clang-format on */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
