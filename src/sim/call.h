/* One request on its way through the simulator, and the answer that grows with it. */
#ifndef SIM_CALL_H
#define SIM_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/request.h"

struct arena;
struct buf;
struct instance;
struct job;
struct json;
struct op;
struct world;

enum sig_kind { SIG_NONE, SIG_V1, SIG_V3 };

struct call {
	struct world *w;
	struct arena *a;
	const struct sim_request *rq;
	struct params p;
	enum sig_kind sig;
	const char *action, *version, *key_id, *nonce, *region, *request_id;
	const struct op *op;
	bool xml;
	struct json *out; /* what the operation answers, without the envelope */
	/* failure: */
	bool failed, in_body; /* in_body: form B (dts-api.md 1.2) */
	int http;
	const char *code, *message, *dynamic;
	bool denied; /* with AccessDeniedDetail */
	int64_t retry_after_ms;
	/* for the log: */
	bool effect, struck; /* struck: a fault made itself felt in this request or its answer */
	const char *instance, *job;
};

/* A business parameter; NULL if absent or empty (an empty value counts as absent). */
const char *arg(const struct call *c, const char *name);
bool arg_true(const struct call *c, const char *name);
int64_t arg_int(const struct call *c, const char *name, int64_t otherwise);

/* All return -1. */
int call_fail(struct call *c, int http, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5))); /* form A */
int call_bad(struct call *c,
             const char *param); /* form B: "The Value of Input Parameter %s is not valid." */
int call_missing(struct call *c, const char *param); /* 400 MissingParameter */
int call_gone(struct call *c);                       /* 403 Forbidden.InstanceNotFound */
int call_state(struct call *c, const char *code);    /* 403, the state does not allow it */

/* Strings of the answer; text may be NULL (then nothing is added). */
void put(struct call *c, struct json *o, const char *key, const char *text);
void put_text(struct call *c, struct json *o, const char *key,
              const char *text); /* NULL becomes "" */
void put_int(struct call *c, struct json *o, const char *key, int64_t v);
void put_bool(struct call *c, struct json *o, const char *key, bool v);
void put_time(struct call *c, struct json *o, const char *key, int64_t wall_ms); /* 0: nothing */

/*
 * Serialise: form A, form B or success with the envelope of the operation. Returns the HTTP
 * status.
 */
int answer_write(struct call *c, struct buf *out);
const char *answer_type(const struct call *c); /* Content-Type */
/* HTTP status and text known for a code (faults name a code only). */
int code_status(const char *code);
const char *code_message(const char *code);

#endif
