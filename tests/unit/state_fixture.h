/*
 * A directory, a state in it, records to put there. For test_state.c, test_journal.c and
 * test_power.c.
 */
#ifndef TESTS_STATE_FIXTURE_H
#define TESTS_STATE_FIXTURE_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "store/internal.h"
#include "store/state.h"

#define FP "hmac-sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static char fx_dir[256], fx_path[300];
static struct arena fx;
static size_t fx_fold_min; /* 0: as in a product */
static struct err fx_err;

static inline const char *fx_file(const char *name)
{
	return arena_printf(&fx, "%s/%s", fx_dir, name);
}

static inline int fx_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)at;
	return kind == FTW_DP ? rmdir(path) : unlink(path);
}

static inline void fx_empty(const char *dir)
{
	if (nftw(dir, fx_remove, 8, FTW_DEPTH | FTW_PHYS) != 0)
		fail_msg("cannot remove %s", dir);
}

static inline int fx_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	arena_init(&fx);
	snprintf(fx_dir, sizeof(fx_dir), "%s/dtsbatch-test-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(fx_dir));
	snprintf(fx_path, sizeof(fx_path), "%s/x.state.json", fx_dir);
	memset(&fx_err, 0, sizeof(fx_err));
	return 0;
}

static inline int fx_teardown(void **state)
{
	(void)state;
	fx_empty(fx_dir);
	arena_release(&fx);
	return 0;
}

static inline int fx_try(struct state **s, enum state_mode mode)
{
	struct state_opts o = {
		.path = fx_path, .mode = mode, .command = "apply test", .fold_min = fx_fold_min};

	return state_open(s, &o, &fx_err);
}

static inline struct state *fx_open(enum state_mode mode)
{
	struct state *s;

	if (fx_try(&s, mode) < 0)
		fail_msg("state_open: %s", fx_err.msg);
	return s;
}

static inline void fx_close(struct state *s)
{
	if (state_close(s, &fx_err) < 0)
		fail_msg("state_close: %s", fx_err.msg);
}

static inline void fx_flush(struct state *s)
{
	if (state_flush(s, &fx_err) < 0)
		fail_msg("state_flush: %s", fx_err.msg);
}

/* A job record, number i, version v; `bytes` more in its object list. */
static inline struct record *fx_record(struct arena *a, size_t i, size_t v, size_t bytes)
{
	struct record *r =
		record_new(a, arena_printf(a, "synchronization_job.j%05zu", i), &type_job);
	const char **deps = arena_array(a, const char *, 1);
	char *fill = arena_alloc(a, bytes + 1);

	memset(fill, 'x', bytes);
	r->id = arena_printf(a, "job%zu", i);
	r->instance_id = arena_printf(a, "dts%zu", i);
	r->job_id = r->id;
	r->region = "cn-hangzhou";
	r->file = "jobs.ini";
	r->step = STEP_CONFIGURED;
	r->attrs[attr_of(&type_job, "dts_job_name")] = arena_printf(a, "name-%zu-%zu", i, v);
	r->attrs[attr_of(&type_job, "db_list")] =
		arena_printf(a, "{\"db%zu\":{\"name\":\"%s\",\"all\":true}}", i, fill);
	r->attrs[attr_of(&type_job, "source_endpoint_password")] = FP;
	deps[0] = arena_printf(a, "synchronization_instance.j%05zu", i);
	r->deps = deps;
	r->ndeps = 1;
	r->created_ms = 1764090720123;
	r->updated_ms = r->created_ms + (int64_t)v;
	r->status = "Synchronizing";
	r->status_since_ms = 1764090720000;
	return r;
}

static inline void fx_put(struct state *s, size_t i, size_t v, size_t bytes)
{
	struct arena a;

	arena_init(&a);
	state_put(s, fx_record(&a, i, v, bytes));
	arena_release(&a);
}

static inline void fx_read(const char *path, struct buf *b)
{
	buf_init(b, (size_t)1 << 30);
	if (sys_read_file(path, b) < 0)
		fail_msg("cannot read %s", path);
}

static inline void fx_write(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static inline bool fx_exists(const char *name)
{
	return access(fx_file(name), F_OK) == 0;
}

#define assert_has(text, part)                                                                     \
	do {                                                                                       \
		if (!strstr((text), (part)))                                                       \
			fail_msg("\"%s\" is not in: %s", (part), (text));                          \
	} while (0)

#endif
