/* The scenario file: what goes wrong, and when. Keys: src/sim/README.md. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct err;
struct world;

enum fault_do {
	DO_NONE,
	DO_CUT_BEFORE, /* connection closed, the request never arrived */
	DO_CUT_AFTER,  /* connection closed after the effect */
	DO_HALF,       /* half of the answer, then closed */
	DO_GARBAGE,
	DO_HTML,
	DO_STATUS,    /* bare HTTP status with an HTML page */
	DO_CODE,      /* error answer, form A */
	DO_BODY_CODE, /* error answer, form B */
	DO_DELAY,
	DO_HANG,       /* no answer ever */
	DO_LOST_EFFECT /* success is answered, nothing happened */
};

struct fault {
	const char *name, *action; /* globs, comma separated */
	const char *match_name, *match_glob;
	int64_t nth, every, count, after; /* 0: not given */
	double probability;
	uint64_t seed;
	bool seeded;
	enum fault_do what;
	const char *code, *message;
	int http;
	int64_t delay_ms;
	int effect; /* -1: the default of the kind */
	int64_t retry_after_ms;
	int64_t seen, fired;
};

struct precheck_row {
	const char *name, *job, *item, *message, *repair;
	int64_t times; /* per job; 0: every time */
	bool warning;
};

struct stale_row {
	const char *name, *job;
	int64_t reads; /* -1: for ever */
	bool on_start, on_reset;
	int64_t times; /* how often it happens, 0: always */
	int64_t fired;
};

struct life_row { /* another course of life than the usual one */
	const char *name, *job;
	const char *course; /* "Prechecking:5s PreCheckPass:1s InitializeFailed" */
	int64_t times, fired;
};

struct shape_row {
	const char *code;
	int form; /* 'A' or 'B' */
	bool prefix;
};

struct key_row {
	const char *id, *secret;
};

struct scenario {
	struct arena a;
	/* [timing], service milliseconds */
	int64_t precheck_ms, pass_ms, init_ms, suspend_ms, resume_ms, modify_ms, upgrade_ms,
		finished_ms, lag_ms;
	/* [limits] */
	bool limits_off, any_page_size;
	double list_rate, detail_rate, read_rate, write_rate;
	int64_t retry_after_ms;
	/* [auth] */
	int64_t skew_ms, clock_offset_ms, fence_ms;
	bool fence;
	VEC(struct key_row) keys;
	const char *inactive, *token, *deny;
	int64_t token_uses; /* a token expires after so many requests; 0: never */
	/* [service] */
	bool lenient, strict_modules, partial_batch, errcode_on_success;
	uint64_t seed;
	bool seeded;
	/* [stranger] */
	const char *stranger_after;
	int64_t stranger_every, stranger_max, stranger_seen, stranger_bought;
	double stranger_probability;
	bool stranger_configures;
	VEC(struct fault) fault;
	VEC(struct precheck_row) precheck;
	VEC(struct stale_row) stale;
	VEC(struct life_row) life;
	VEC(struct shape_row) shape;
};

void scenario_init(struct scenario *sc); /* the defaults */
void scenario_release(struct scenario *sc);
/*
 * name: for messages. A mistake is an error with file and line; *sc is then unusable except for
 * release.
 */
int scenario_parse(struct scenario *sc, const char *name, const char *text, size_t n,
                   struct err *e);
int scenario_load(struct scenario *sc, const char *path, struct err *e);
/* "a,b*,c" against one word. */
bool glob_list(const char *globs, const char *word);

#endif
