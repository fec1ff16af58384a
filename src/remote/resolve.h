/*
 * Names to addresses, for a static program: the C library of such a program
 * lets one failing search domain, server or record type spoil every answer
 * (design.md 5, "Names"). Here a name with a dot is asked for as it stands
 * first, A and AAAA each by itself; /etc/hosts counts before; the search list
 * only when the name as it stands does not exist. DNS over UDP, and TCP for
 * answers that do not fit. Runs in a thread of its own.
 */
#ifndef REMOTE_RESOLVE_H
#define REMOTE_RESOLVE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESOLVE_MAX 16 /* addresses of a name */
#define SERVERS_MAX 8
#define SEARCH_MAX 12

struct address {
	bool v6;
	char text[46];
};

/* What /etc/resolv.conf says. */
struct dns_conf {
	char server[SERVERS_MAX][64]; /* addresses, a scope behind % allowed */
	size_t nservers;
	char search[SEARCH_MAX][254];
	size_t nsearch;
	int timeout_ms; /* until the next server is asked, too */
	int attempts;
	unsigned port; /* 53; tests */
	bool found;    /* false: there is no such file, the server is 127.0.0.1 */
};

enum dns_outcome {
	DNS_FOUND,
	DNS_ABSENT, /* all servers that answered say so: no such name, or no address */
	DNS_FAILED, /* SERVFAIL, REFUSED and the like */
	DNS_SILENT, /* nobody answered */
};

struct dns_result {
	struct address v[RESOLVE_MAX];
	size_t n;
	enum dns_outcome outcome;
	char detail[160]; /* "SERVFAIL from 10.0.0.2": why not */
};

void dns_conf_read(struct dns_conf *c, const char *path);
/* name as it stands, no search list. Blocks, at most (servers x attempts x timeout); ends early when *stop. */
void dns_ask(const struct dns_conf *c, const char *name, struct dns_result *out,
             const atomic_bool *stop);

/* ---- a lookup in the background -------------------------------------------- */

struct lookup;

/* Reads both files; either path NULL: the usual place. One byte is written to wake_fd (duplicated) when it is done. */
struct lookup *lookup_start(const char *host, const char *hosts, const char *resolv, int wake_fd);
bool lookup_done(const struct lookup *l);
/* After lookup_done. 0 addresses: text says why, with name, servers and file. */
size_t lookup_result(const struct lookup *l, const struct address **v, const char **text);
void lookup_free(struct lookup *l); /* also while it runs: the thread ends by itself */

#endif
