/*
 * What a finished transfer means, for retry.c and for people. A failure before
 * on_ready() has sent nothing; any failure after it may have (design.md 5).
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/sys.h"
#include "remote/http_internal.h"

/* The peer or the net ended a handshake, as opposed to a disagreement about it. */
static bool handshake_broke(const char *error)
{
	/* End of file, reset, receive and send failure, close notify: codes of mbedTLS. */
	static const char *const signs[] = {"0x7280", "0x0050",       "0x004C",      "0x004E",
	                                    "0x7880", "Recv failure", "Send failure"};

	for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
		if (strstr(error, signs[i]))
			return true;
	return false;
}

enum net_result result_classify(const struct transfer *t, CURLcode code)
{
	if (code == CURLE_OK)
		return NET_OK;
	if (t->too_big)
		return NET_TOO_BIG;
	if (t->ready)
		return NET_SENT_UNKNOWN;
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return NET_RESOLVE;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ENGINE_INITFAILED:
	case CURLE_USE_SSL_FAILED:
		return NET_TLS;
	case CURLE_SSL_CONNECT_ERROR:
		return handshake_broke(t->error) ? NET_CONNECT : NET_TLS;
	default:
		return NET_CONNECT;
	}
}

static const char *reason(const struct transfer *t, CURLcode code)
{
	long err = 0;

	if (code == CURLE_OPERATION_TIMEDOUT)
		return "no connection in time";
	if (code == CURLE_COULDNT_CONNECT) {
		curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &err);
		switch (err) {
		case ECONNREFUSED:
			return "connection refused";
		case ECONNRESET:
			return "connection reset";
		case ETIMEDOUT:
			return "connection timed out";
		case EHOSTUNREACH:
			return "no route to host";
		case ENETUNREACH:
			return "network unreachable";
		case EACCES:
		case EPERM:
			return "not permitted (a local firewall?)";
		case EMFILE:
		case ENFILE:
			return "too many open files";
		default:
			break;
		}
	}
	if (code == CURLE_ABORTED_BY_CALLBACK) /* on_ready() forbade the second copy */
		return "the kept connection was closed under the request";
	return t->error[0] ? t->error : curl_easy_strerror(code);
}

void result_describe(struct transfer *t, CURLcode code, enum net_result net)
{
	char where[240], via[HOST_MAX + 80] = "";

	target_addresses(where, sizeof where, t->target);
	if (t->proxy.used)
		snprintf(via, sizeof via, "proxy %s (%s): ", t->proxy.url, t->proxy.var);
	switch (net) {
	case NET_TLS:
		if (t->tls.flags)
			tls_explain(t->text, sizeof t->text, t->trust, &t->tls, t->url.host,
			            sys_wall_ms() / 1000, t->o->build_time_s);
		else
			snprintf(t->text, sizeof t->text, "%sTLS with %s failed: %s (%s)", via,
			         t->url.host, reason(t, code), where);
		return;
	case NET_TOO_BIG:
		snprintf(t->text, sizeof t->text, "the answer is longer than %zu bytes (%s)",
		         t->o->max_response_bytes, t->peer);
		return;
	case NET_SENT_UNKNOWN:
		if (code == CURLE_OPERATION_TIMEDOUT)
			snprintf(t->text, sizeof t->text, "no answer within %d s (%s)",
			         t->timeout_ms / 1000, t->peer);
		else
			snprintf(t->text, sizeof t->text,
			         "the connection broke before the answer was there: %s (%s)",
			         reason(t, code), t->peer);
		return;
	default:
		snprintf(t->text, sizeof t->text, "%s%s (%s)", via, reason(t, code), where);
		return;
	}
}
