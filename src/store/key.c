/*
 * X.state.key: 32 random bytes as one line of hex. Fingerprints of secrets
 * in the state are made with it; it stays on this host, so that the state
 * file may go into version control. A second line "LINEAGE SERIAL JOURNAL"
 * remembers what this host began to write last (mark.c).
 */
#include "store/internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/sys.h"

#define HEX "0123456789abcdef"

/* A line that is none of ours says nothing: better no memory than a wrong one. */
static void read_mark(const char *line, struct mark *m)
{
	struct mark t = {0};
	int end = 0;

	if (sscanf(line, "%32[" HEX "] %" SCNu64 " %16[" HEX "]%n", t.lineage, &t.serial, t.journal,
	           &end) == 3 &&
	    strlen(t.lineage) == 32 && strlen(t.journal) == 16 && !line[end])
		*m = t;
}

int key_read(const char *path, uint8_t key[32], struct mark *m, enum key_state *st, struct err *e)
{
	struct buf b;
	char *line;
	size_t n;
	int rc = 0;

	*m = (struct mark){0};
	buf_init(&b, 4096);
	if (sys_read_file(path, &b) == 0) {
		while (b.n && (b.p[b.n - 1] == '\n' || b.p[b.n - 1] == '\r'))
			b.p[--b.n] = '\0';
		line = strchr(buf_str(&b), '\n');
		n = strcspn(buf_str(&b), "\r\n");
		if (n < b.n)
			b.p[n] = '\0';
		*st = n == 64 && hash_unhex(b.p, key, 32) ? KEY_GOOD : KEY_BROKEN;
		if (*st == KEY_GOOD && line)
			read_mark(line + 1, m);
	} else if (errno == ENOENT) {
		*st = KEY_ABSENT;
	} else if (errno == EFBIG) {
		*st = KEY_BROKEN;
	} else {
		err_set(e, ERR_STATE_READ, "%s: cannot read the key of the secret fingerprints: %s",
		        path, strerror(errno));
		err_subject(e, path);
		rc = -1;
	}
	buf_release(&b);
	return rc;
}

int key_write(const char *path, const uint8_t key[32], const struct mark *m, struct err *e)
{
	char line[66 + 80];
	int n = 65, rc;

	hash_hex(key, 32, line);
	line[64] = '\n';
	if (m->lineage[0])
		n += snprintf(line + n, sizeof(line) - (size_t)n, "%s %" PRIu64 " %s\n", m->lineage,
		              m->serial, m->journal);
	rc = sys_replace_file(path, 0600, line, (size_t)n);
	if (rc < 0) {
		err_set(e, ERR_STATE_WRITE,
		        "%s: cannot write the key of the secret fingerprints: %s", path,
		        strerror(errno));
		err_subject(e, path);
	}
	hash_wipe(line, sizeof(line));
	return rc;
}

void key_check(const uint8_t key[32], const char *lineage, char out[17])
{
	static const char what[] = "dtsbatch key check ";
	char text[sizeof(what) + 32];
	uint8_t mac[32];

	memcpy(text, what, sizeof(what) - 1);
	memcpy(text + sizeof(what) - 1, lineage, 33);
	hash_hmac_sha256(key, 32, text, strlen(text), mac);
	hash_hex(mac, 8, out);
}
