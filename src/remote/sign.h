/*
 * Signature V3 (ACS3-HMAC-SHA256), pure in (credential, request, time, nonce). alibaba-auth.md 1; proven by
 * tests/vectors/signature-v3.json.
 */
#ifndef REMOTE_SIGN_H
#define REMOTE_SIGN_H

#include <stddef.h>
#include <stdint.h>

struct arena;

struct pair {
	const char *name, *value;
};

struct credential {
	const char *id, *secret, *token; /* token NULL: permanent key. Secret memory */
	const char *provider;            /* "default/env" */
	int64_t expires_s;               /* -1: never */
};

struct sign_request {
	const char *method,
		*host; /* host exactly as in the Host header, non-default port included */
	const char *action, *version;
	const struct pair *query;
	size_t nquery;
	const char *content_type; /* NULL: no body header */
	const char *body;
	size_t body_n;
	const struct pair *
		extra; /* further headers to sign (lower-case names), e.g. x-acs-credentials-provider */
	size_t nextra;
	int64_t time_s; /* epoch, by the service's clock */
	const char *nonce;
};

struct signature {
	const char *canonical, *string_to_sign, *authorization;
	const char *query;            /* canonical query: exactly what is to be sent */
	const char *date, *body_hash; /* header values */
};

void sign_v3(struct signature *out, struct arena *a, const struct credential *c,
             const struct sign_request *r);
/* pairs -> a=b&c=d in the given order, percent-encoded (form body). */
char *sign_form(struct arena *a, const struct pair *p, size_t n, size_t *len);

#endif
