/*
 * What a command that talks to DTS holds: state, simulator child, connection, run. Opened and
 * closed in the right order.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <sys/types.h>

#include "cli/cmd.h"
#include "cli/load.h"
#include "cli/render.h"
#include "run/exec.h"

struct session {
	struct context *c;
	struct loaded l;
	struct state *state;
	struct state *rehearsed; /* the real one, while a rehearsal begins with it */
	const char *seed;        /* its world; NULL: none */
	pid_t sim;               /* child; 0: none */
	int sim_life;            /* closing it ends the child */
	struct transport net;
	bool net_open;
	struct run *run;
	struct inventory inv;
	struct record_list recs;
	struct progress progress;
	const char *region, *endpoint_url, *host, *home_endpoint;
	struct credential cred;
	bool loopback, one_endpoint;
	bool writes; /* the state is locked and may change */
	bool rebuilds, takes;
};

enum {
	SESSION_WRITES = 1,   /* lock the state, keep what the simulator does */
	SESSION_SECRETS = 2,  /* every secret must be there */
	SESSION_DESTROYS = 4, /* nothing is made: what is open is settled first */
	SESSION_REBUILDS =
		8, /* the state may be an old one or gone: that is what is to be mended */
	SESSION_TAKES =
		16, /* what earlier runs left open stays open: an import may be the answer to it */
};

/*
 * Loads manifests, looks for secrets and credentials, opens the state, starts the simulator
 * (--simulate), connects. What can be wrong without touching a file is found before a file is
 * touched. -1 with e; session_close() in any case.
 */
int session_open(struct session *s, struct context *c, unsigned flags, struct err *e);
/* The state belongs to this region and endpoint from now on: once something is done there, not
 * before. */
void session_settle_home(struct session *s);
/* Reads what exists; settles what an earlier run left open (writes, unless SESSION_TAKES). */
int session_refresh(struct session *s, struct err *e);
/* Folds and closes the state, ends the simulator. Returns -1 with e when the state could not be
 * written. */
int session_close(struct session *s, struct err *e);

#endif
