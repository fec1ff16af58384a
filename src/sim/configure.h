/* ConfigureDtsJob: what it refuses (configure_check.c) and what it does (ops_configure.c). */
#ifndef SIM_CONFIGURE_H
#define SIM_CONFIGURE_H

#include <stdbool.h>

struct call;
struct job;
struct json;

/* The names of one endpoint's parameters: the two sides do not spell alike (dts-api.md 1.4). */
struct side {
	const char *type, *engine, *instance, *region, *ip, *port, *sid, *db, *user, *password,
		*owner, *role;
	const char *ssl_key, *cen_key, *mongo_key, *oracle_key; /* in Reserve */
	bool source;
};
extern const struct side side_source, side_destination;

/* A cloud type is addressed by instance id and region, the others by address. */
bool type_self_managed(const char *type);

/* Everything that needs no object: 0 or -1. reserve: parsed Reserve or NULL. */
int configure_check(struct call *c, const struct json *reserve);
/* Another account: its id is a number, its role a name (20). Takes the names of the parameters. */
int configure_check_owner(struct call *c, const char *owner_param, const char *role_param);
/* The same of what UPDATE_RESERVED sends for a job that is configured. */
int configure_check_update(struct call *c, const struct job *j, const struct json *sent);

#endif
