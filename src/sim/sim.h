/*
 * The built-in DTS simulator (design.md 8): an HTTP server on loopback that
 * refuses what the service would refuse. It shares no request or response
 * code with the client; from the rest of the program it uses base/ only.
 *
 * Two ways to run it: sim_start/sim_stop (a service thread in this process)
 * and sim_run_child (the calling process, a forked child, is the server).
 * Scenario file, control operations and request log: src/sim/README.md.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct sim;

struct sim_opts {
	const char *host;          /* "127.0.0.1" if NULL */
	int port;                  /* 0: any free one */
	const char *scenario_path; /* INI; NULL: defaults */
	const char *log_path;      /* request log, JSON Lines, appended; NULL: none */
	const char *world_path;    /* loaded if it is there, saved at stop; NULL: kept nowhere */
	const char
		*seed; /* the text of a world to begin with where there is no world file; NULL: an
	                     empty one */
	double time_scale; /* X service seconds per real second; 0: all is immediate, no lag */
	const char *key_id, *key_secret; /* the accepted key pair; more: scenario [auth] keys */
	const char *region; /* region of requests without RegionId; "cn-hangzhou" if NULL */
	bool durable;       /* save the world after every change, before the answer */
	bool discard;       /* never save: what only looks leaves nothing behind */
};

/* Start the service thread. A bad world file or a wrong scenario is an error here. */
int sim_start(struct sim **out, const struct sim_opts *o, struct err *e);
int sim_port(const struct sim *s);
/* Stop, save the world, free. The world file is untouched if saving fails. */
int sim_stop(struct sim *s, struct err *e);

/*
 * Serve in this process until end of file on life_fd. Writes "PORT\n" (or "ERR message\n") to
 * ready_fd and closes it. SIGINT, SIGTERM, SIGHUP and SIGPIPE are ignored: the parent decides.
 * Saves the world. Returns the exit status.
 */
int sim_run_child(const struct sim_opts *o, int ready_fd, int life_fd);

#endif
