/*
 * The core: a request in, an answer out, no sockets and no clocks of its own.
 * The order of checks is that of alibaba-auth.md 4.5.
 */
#ifndef SIM_HANDLE_H
#define SIM_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "sim/request.h"

struct arena;
struct world;

enum sim_cut { CUT_NONE, CUT_ALL, CUT_HALF, CUT_HANG };

struct sim_response {
	int status;
	const char *type; /* Content-Type */
	struct buf body;  /* caller inits and releases */
	struct buf log;   /* one line for the request log, without line end */
	char request_id[37];
	enum sim_cut cut;        /* what becomes of the answer */
	int64_t delay_ms;        /* real time */
	int64_t retry_after_ms;  /* x-acs-retry-after; 0: none */
	int64_t clock_offset_ms; /* for the Date header */
	bool effect;
};

void sim_handle(struct world *w, struct arena *a, const struct sim_request *rq,
                struct sim_response *out);

/* control.c: paths below /_sim/, for tests. True: the path was one, *out is filled. */
bool control_handle(struct world *w, struct arena *a, const struct sim_request *rq,
                    const struct params *p, struct sim_response *out);

#endif
