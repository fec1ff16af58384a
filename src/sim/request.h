/*
 * One HTTP request as the core sees it: no socket, and the clocks come along.
 * Query and form are kept apart (the signatures need that, and tests want to
 * know where a parameter was) and read as one (dts-api.md 1).
 */
#ifndef SIM_REQUEST_H
#define SIM_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct sim_header {
	const char *name, *value;
};

struct sim_request {
	const char *method, *target; /* target as on the wire: "/?a=b" */
	const struct sim_header *headers;
	size_t nheaders;
	const char *body;
	size_t body_n;
	int64_t now_ms;  /* service clock */
	int64_t wall_ms; /* real time */
};

struct pair {
	const char *name, *value; /* decoded */
	bool form;
};

struct params {
	struct pair *v;
	size_t n;
	const char *path;
	bool broken; /* a bad escape, a NUL or bad UTF-8 somewhere */
};

const char *request_header(const struct sim_request *rq,
                           const char *name); /* any case; NULL if absent */
void request_params(const struct sim_request *rq, struct arena *a, struct params *out);
/* A form value wins over a query value of the same name. NULL if absent. */
const char *params_get(const struct params *p, const char *name);

#endif
