/* One line of JSON per request (src/sim/README.md), secrets masked. */
#ifndef SIM_REQLOG_H
#define SIM_REQLOG_H

struct buf;
struct call;
struct fault;
struct sim_response;

void reqlog_line(struct buf *out, const struct call *c, const struct sim_response *r,
                 const struct fault *f);

#endif
