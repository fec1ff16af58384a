/* Signatures V3 and V1 as a server sees them, in the order of alibaba-auth.md 4.5. */
#ifndef SIM_AUTH_H
#define SIM_AUTH_H

struct arena;
struct call;
struct params;
struct sim_request;

/* Which signature, action, version and answer format; never fails. */
void auth_begin(struct call *c);
/* Steps 3 to 8: fields, date, key, token, body hash and signature, nonce. 0 or -1. */
int auth_check(struct call *c);
/*
 * The server's two V3 texts (for the message) and the V1 text; in a. signed_headers as in the
 * request.
 */
char *auth_v3_canonical(struct arena *a, const struct sim_request *rq, const struct params *p,
                        const char *signed_headers);
char *auth_v1_string(struct arena *a, const struct sim_request *rq, const struct params *p);

#endif
