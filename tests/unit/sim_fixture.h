/* A simulator without sockets, in virtual time, for the test_sim_* programs. */
#ifndef SIM_FIXTURE_H
#define SIM_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "sim/handle.h"
#include "sim/scenario.h"
#include "sim/world.h"

#define FX_KEY "testid"
#define FX_SECRET "testsecret"
#define FX_PAIRS 96

struct fx_pair {
	const char *name, *value;
};

struct fx {
	struct world w;
	struct scenario sc[2];
	struct arena a, mine; /* of the request; of the test */
	int64_t now_ms, wall_ms;
	int nonce;
	struct sim_response rs;
	const struct json *j; /* the last answer, NULL if it is no JSON */
	bool form;            /* send business parameters in the form body */
	char *instance, *job, *reverse;
};

void fx_init(struct fx *f, const char *scenario, bool instant);
void fx_release(struct fx *f);
void fx_pass(struct fx *f, int64_t ms); /* both clocks */

/* Signed V1; pairs end with NULL. Returns the HTTP status. */
int fx_call(struct fx *f, const char *action, ...);
int fx_callv(struct fx *f, const char *action, const struct fx_pair *v, size_t n);
int fx_raw(struct fx *f, const struct sim_request *rq); /* as it is */
const char *fx_code(const struct fx *f);                /* Code or ErrCode; "" on success */
const char *fx_get(const struct fx *f, const char *path);
const char *fx_status(struct fx *f, const char *job); /* by Detail */

/* Defaults of a purchase and of a configuration; overrides by name. */
size_t fx_buy_pairs(struct fx_pair *v);
size_t fx_configure_pairs(struct fx_pair *v);
void fx_set(struct fx_pair *v, size_t *n, const char *name,
            const char *value); /* value NULL: removed */
void fx_buy(struct fx *f);      /* fills instance and job */
void fx_configure(struct fx *f,
                  const char *reserve); /* NULL: the default Reserve, starts by itself */

#endif
