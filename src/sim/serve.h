/* The sockets: libmicrohttpd driven by one loop, one thread. Only serve.c knows the library. */
#ifndef SIM_SERVE_H
#define SIM_SERVE_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct server;
struct sim_request;
struct sim_response;

/*
 * Called for each complete request, clocks not yet filled in. The response is initialised and
 * released by the server.
 */
typedef void server_fn(void *ctx, struct sim_request *rq, struct sim_response *out);
/* Called about once a second and after each burst of requests. */
typedef void server_idle_fn(void *ctx);

int server_open(struct server **out, const char *host, int port, server_fn *fn,
                server_idle_fn *idle, void *ctx, struct err *e);
int server_port(const struct server *s);
/* Serve until a byte or end of file on stop_fd. */
void server_loop(struct server *s, int stop_fd);
void server_close(struct server *s);

#endif
