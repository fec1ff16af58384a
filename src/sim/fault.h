/* Which fault of the scenario, if any, hits a request. */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include <stdbool.h>

struct call;
struct fault;
struct instance;
struct world;

/* The first matching row that fires now; rows count every request they match. NULL: none. */
struct fault *fault_pick(struct call *c);
bool fault_effect(const struct fault *f); /* does the operation take effect? */
const char *fault_name(const struct fault *f);
/* Scenario [stranger]: somebody else buys an equal instance right after this call. */
void stranger_acts(struct call *c);
/* Somebody else buys an instance equal to `of`, and configures it if `configure`. */
void stranger_buys(struct world *w, const struct instance *of, bool configure);

#endif
