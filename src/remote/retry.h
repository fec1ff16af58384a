/*
 * What a result means, as a pure function of data: table keyed by service
 * code first (throttling comes as HTTP 400), then status, then transport;
 * crossed with whether the call may be repeated. dts-api.md 7, 9; alibaba-auth.md 4, 5.
 */
#ifndef REMOTE_RETRY_H
#define REMOTE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/api.h"
#include "remote/http.h"

enum verdict {
	VERDICT_OK,
	VERDICT_RETRY, /* surely not executed: send again after the pause */
	VERDICT_LOOK, /* outcome unknown: read the state, resend if the effect is missing (REPEAT_LOOK), settle (REPEAT_NEVER) */
	VERDICT_BUSY, /* state conflict: wait for a settled status, resend */
	VERDICT_GONE, /* Forbidden.InstanceNotFound, InvalidJobId */
	VERDICT_MONEY,       /* stop all purchases of the run */
	VERDICT_DENIED,      /* credentials or permission: stop the run */
	VERDICT_CLOCK,       /* InvalidTimeStamp*: correct the offset from Date once, send again */
	VERDICT_REFRESH,     /* expired token: refresh once, send again */
	VERDICT_FAIL,        /* this item */
	VERDICT_UNREACHABLE, /* name, TLS: fail fast, ends the run */
};

struct reply_facts {
	enum net_result net;
	int status;             /* HTTP */
	const char *code;       /* service code without "DTS.Msg.", NULL: none or unreadable */
	bool readable;          /* a JSON object that is a DTS answer */
	bool success;           /* no failure in shape A or B */
	int64_t retry_after_ms; /* -1: none */
};

enum verdict retry_verdict(const struct reply_facts *f, enum api_repeat repeat);
enum err_code retry_err_code(const struct reply_facts *f); /* exit class of a final failure */
const char *retry_hint(const struct reply_facts *f); /* remedy for a service code, NULL: none */

/* Full jitter: random pause in [0, min(cap, base * 2^attempt)], at least 100 ms; a server hint wins (up to 120 s). attempt from 0. */
int64_t retry_pause_ms(const struct reply_facts *f, unsigned attempt, uint32_t random);

#endif
