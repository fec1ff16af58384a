/* Hosts we connect to, their addresses looked up once per run and told to libcurl. */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "base/sys.h"
#include "remote/http_internal.h"

struct target *target_of(struct target **list, const char *host, unsigned port, int wake_fd)
{
	struct target *g;

	for (g = *list; g; g = g->next)
		if (g->port == port && !strcmp(g->host, host))
			return g;
	g = sys_malloc(sizeof *g);
	*g = (struct target){.next = *list, .port = port};
	snprintf(g->host, sizeof g->host, "%s", host);
	g->lookup = lookup_start(host, NULL, NULL, wake_fd);
	*list = g;
	return g;
}

void target_free(struct target *g)
{
	lookup_free(g->lookup);
	curl_slist_free_all(g->resolve);
	curl_slist_free_all(g->former);
	sys_free(g);
}

/* HOST:PORT:ADDRESS,... for the whole run; those of `first` family in front. */
static void tell_addresses(struct target *g, bool v6_first)
{
	char line[HOST_MAX + 16 + RESOLVE_MAX * 50];
	size_t n = (size_t)snprintf(line, sizeof line, "%s:%u:", g->host, g->port);
	const char *sep = "";

	if (url_is_address(g->host))
		return;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < g->naddr; i++) {
			if (g->addr[i].v6 != (pass == 0 ? v6_first : !v6_first))
				continue;
			n += (size_t)snprintf(line + n, sizeof line - n,
			                      g->addr[i].v6 ? "%s[%s]" : "%s%s", sep,
			                      g->addr[i].text);
			sep = ",";
		}
	g->former = g->resolve;
	g->resolve = curl_slist_append(NULL, line);
}

void target_poll(struct target *g)
{
	if (g->state != LOOKING || !lookup_done(g->lookup))
		return;
	g->naddr = lookup_result(g->lookup, &g->addr, &g->text);
	g->state = g->naddr ? KNOWN : UNKNOWN;
	if (g->naddr)
		tell_addresses(g, g->addr[0].v6);
}

static bool has_both_families(const struct target *g)
{
	bool v4 = false, v6 = false;

	for (size_t i = 0; i < g->naddr; i++) {
		v6 = v6 || g->addr[i].v6;
		v4 = v4 || !g->addr[i].v6;
	}
	return v4 && v6;
}

void target_prefer(struct target *g, bool v6)
{
	if (g->ordered || !has_both_families(g) || v6 == g->addr[0].v6)
		return;
	g->ordered = true;
	tell_addresses(g, v6);
}

void target_addresses(char *out, size_t n, const struct target *g)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < g->naddr && i < 4 && at < n; i++)
		at += (size_t)snprintf(out + at, n - at, g->addr[i].v6 ? "%s[%s]:%u" : "%s%s:%u",
		                       i ? ", " : "", g->addr[i].text, g->port);
}
