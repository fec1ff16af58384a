/*
 * What Terraform's provider sent in recorded runs (tests/sim/replay/NAME.jsonl: one request a line
 * with the status and code it got) must be answered the same way: the provider can drive the
 * simulator.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/sys.h"
#include "base/text.h"
#include "sim_fixture.h"

#define DIRECTORY "tests/sim/replay"
#define OURS_MAX 64

struct bought {
	char *instance, *job, *source, *destination;
	bool taken;
};

struct replay {
	struct fx f;
	struct json *rec[1024];
	size_t n;
	struct map ids; /* recorded id -> index into ours */
	const char *ours[4 * OURS_MAX];
	size_t nours;
	struct bought bought[OURS_MAX];
	size_t nbought;
	int passwords;
};

static void load(struct replay *r, const char *path)
{
	struct buf b;
	char *line, *next;

	buf_init(&b, 1 << 20);
	assert_int_equal(sys_read_file(path, &b), 0);
	for (line = arena_strdup(&r->f.mine, buf_str(&b)); line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (line[0] == '\0')
			continue;
		assert_true(r->n < 1024);
		r->rec[r->n] = json_parse(&r->f.mine, line, strlen(line), NULL);
		assert_non_null(r->rec[r->n++]);
	}
	buf_release(&b);
}

static void learn(struct replay *r, const char *recorded, const char *ours)
{
	r->ours[r->nours] = ours;
	map_put(&r->ids, recorded, (uint32_t)r->nours++);
}

/* The recorded instance id is one of those we bought: the first that fits the configuration. */
static void meet(struct replay *r, const char *recorded, const struct json *params)
{
	const char *src = json_str(params, "SourceEndpointEngineName");
	const char *dst = json_str(params, "DestinationEndpointEngineName");
	struct bought *pick = NULL;

	for (size_t i = 0; i < r->nbought; i++) {
		struct bought *b = &r->bought[i];

		if (b->taken ||
		    (src && (!text_ieq(b->source, src) || !text_ieq(b->destination, dst))))
			continue;
		if (!pick)
			pick = b;
	}
	if (!pick)
		return;
	pick->taken = true;
	learn(r, recorded, pick->instance);
	learn(r, recorded + strlen("dts"), pick->job);
}

/* The recorded id of the reverse job is met for the first time after its configuration. */
static void meet_reverse(struct replay *r, size_t from)
{
	const char *id;

	for (size_t i = from; i < r->n; i++) {
		id = json_str(r->rec[i], "parameters.DtsJobId");
		if (id && map_get(&r->ids, id) == MAP_NONE) {
			learn(r, id, arena_strdup(&r->f.mine, fx_get(&r->f, "DtsJobId")));
			return;
		}
	}
}

static bool instance_name(const char *name)
{
	return text_ieq(name, "DtsInstanceId") || text_eq(name, "SynchronizationJobId") ||
	       text_eq(name, "InstanceId");
}

static int send(struct replay *r, size_t at)
{
	const struct json *params = json_get(r->rec[at], "parameters");
	const char *action = json_str(r->rec[at], "action");
	struct fx_pair v[FX_PAIRS];
	size_t n = 0;
	uint32_t id;
	int status;

	for (const struct json *p = params->child; p; p = p->next) {
		if (instance_name(p->key) && p->s[0] && map_get(&r->ids, p->s) == MAP_NONE)
			meet(r, p->s, params);
		v[n].name = p->key;
		v[n].value = p->s;
		id = map_get(&r->ids, p->s);
		if (id != MAP_NONE)
			v[n].value = r->ours[id];
		if (strcmp(p->s, "***") == 0)
			v[n].value = arena_printf(&r->f.mine, "EXAMPLE-%d", ++r->passwords);
		n++;
	}
	status = fx_callv(&r->f, action, v, n);
	if (status == 200 && text_eq(action, "CreateDtsInstance")) {
		struct bought *b = &r->bought[r->nbought++];

		b->instance = arena_strdup(&r->f.mine, fx_get(&r->f, "InstanceId"));
		b->job = arena_strdup(&r->f.mine, fx_get(&r->f, "JobId"));
		b->source = arena_strdup(&r->f.mine, json_str(params, "SourceEndpointEngineName"));
		b->destination =
			arena_strdup(&r->f.mine, json_str(params, "DestinationEndpointEngineName"));
	}
	if (status == 200 && text_eq(json_str(params, "SynchronizationDirection"), "Reverse") &&
	    text_eq(action, "ConfigureDtsJob"))
		meet_reverse(r, at);
	return status;
}

static size_t run(const char *name)
{
	static struct replay r;
	size_t bad = 0;

	memset(&r, 0, sizeof(r));
	fx_init(&r.f,
	        strstr(name, "precheck-failed") ? "[limits]\noff = true\n[precheck.all]\n"
	                                        : "[limits]\noff = true\n",
	        true);
	r.f.form = true; /* tea-rpc: common parameters in the query, the others in the form */
	map_init(&r.ids, &r.f.mine);
	load(&r, arena_printf(&r.f.mine, DIRECTORY "/%s", name));
	for (size_t i = 0; i < r.n; i++) {
		const char *code = json_str(r.rec[i], "code");
		int64_t want = json_get(r.rec[i], "status")->i, got = send(&r, i);

		if (got == want && text_eq(fx_code(&r.f), code ? code : ""))
			continue;
		print_error("%s:%zu: %s: wanted %d %s, got %s\n", name, i + 1,
		            json_str(r.rec[i], "action"), (int)want, code ? code : "",
		            buf_str(&r.f.rs.body));
		bad++;
	}
	assert_true(r.n > 5);
	fx_release(&r.f);
	return bad;
}

static void test_replay(void **st)
{
	size_t bad = 0, files = 0;
	struct dirent *e;
	DIR *d = opendir(DIRECTORY);

	(void)st;
	assert_non_null(d);
	while ((e = readdir(d)))
		if (text_ends(e->d_name, ".jsonl")) {
			bad += run(e->d_name);
			files++;
		}
	closedir(d);
	assert_int_equal(files, 9);
	assert_int_equal(bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
