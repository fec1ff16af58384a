#include "base/secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/sys.h"
#include "base/text.h"

#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN
#endif
#endif

#define CHUNK_BYTES ((size_t)16 << 10)
#define MASK_MIN 4 /* shorter ones would tear holes into every text */

/* A secret and its text, within a chunk. */
struct item {
	struct item *next;
	size_t n;
	char text[];
};

/* Whole pages of their own; the header lies at the beginning of them. */
struct chunk {
	struct chunk *next;
	size_t at, cap; /* bytes from the beginning of the chunk */
};

/* File scope because secrets have one home for the whole process. */
static struct {
	struct chunk *chunks;
	struct item *items;
	bool unlocked; /* some page could not be locked */
} home;

static size_t aligned(size_t n)
{
	return (n + 15) & ~(size_t)15;
}

static struct chunk *chunk_new(size_t need)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), cap = CHUNK_BYTES;
	struct chunk *c;

	if (cap < need + aligned(sizeof *c))
		cap = need + aligned(sizeof *c);
	cap = (cap + page - 1) / page * page;
	c = mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c == MAP_FAILED)
		sys_die_oom();
	if (mlock(c, cap) < 0)
		home.unlocked = true;
	madvise(c, cap, MADV_DONTDUMP);
	c->at = aligned(sizeof *c);
	c->cap = cap;
	c->next = home.chunks;
	home.chunks = c;
	return c;
}

char *secret_dup(const char *s, size_t n)
{
	struct chunk *c = home.chunks;
	struct item *it;
	size_t need;

	if (n > SIZE_MAX / 2)
		sys_die_oom();
	need = aligned(sizeof *it + n + 1);
	if (!c || c->cap - c->at < need)
		c = chunk_new(need);
	it = (void *)((char *)c + c->at);
	c->at += need;
	it->n = n;
	if (n)
		memcpy(it->text, s, n);
	it->text[n] = '\0';
	it->next = home.items;
	home.items = it;
	return it->text;
}

bool secret_locked(void)
{
	return !home.unlocked;
}

void secret_wipe_all(void)
{
	while (home.chunks) {
		struct chunk *c = home.chunks;
		size_t cap = c->cap;

		home.chunks = c->next;
		hash_wipe(c, cap);
		munmap(c, cap);
	}
	home.items = NULL;
	home.unlocked = false;
}

void secret_harden_process(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#ifndef UNDER_ASAN /* its leak check attaches to the process */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* In which form a quoted secret may stand. Within a form each byte has at most one reading at a
 * place, so a comparison never has to go back. TWICE: as in the string-to-sign of signature
 * version 1. */
enum form { FORM_RAW, FORM_PERCENT, FORM_TWICE, FORM_JSON, FORM__COUNT };

/* Value of n hex digits at s, or -1; the NUL of a short text stops it. */
static int32_t hex_number(const char *s, int n)
{
	int32_t v = 0;

	for (int i = 0; i < n; i++) {
		int d = text_hex_digit(s[i]);

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* A JSON escape at s, on its backslash: the bytes it means; returns its length or 0. */
static size_t json_escape_at(const char *s, char out[4], size_t *n)
{
	static const char named[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *at = s[1] ? strchr(named, s[1]) : NULL;
	int32_t cp, low;

	if (at) {
		out[0] = meant[at - named];
		*n = 1;
		return 2;
	}
	if (s[1] != 'u' || (cp = hex_number(s + 2, 4)) < 0)
		return 0;
	if (cp >= 0xD800 && cp <= 0xDBFF && s[6] == '\\' && s[7] == 'u' &&
	    (low = hex_number(s + 8, 4)) >= 0xDC00 && low <= 0xDFFF) {
		*n = text_utf8_put(
			0x10000 + ((uint32_t)(cp - 0xD800) << 10) + (uint32_t)(low - 0xDC00), out);
		return 12;
	}
	*n = text_utf8_put((uint32_t)cp, out);
	return 6;
}

/* The unit at s read in a form: the bytes it means; returns its length in s, or 0. */
static size_t unit_at(enum form f, const char *s, char out[4], size_t *n)
{
	int32_t v;

	*n = 1;
	out[0] = *s;
	if (f == FORM_JSON && *s == '\\')
		return json_escape_at(s, out, n);
	if (f == FORM_PERCENT || f == FORM_TWICE) {
		size_t skip = f == FORM_TWICE ? 3 : 1;

		if (*s == '+') {
			out[0] = ' ';
		} else if (*s == '%') {
			if (f == FORM_TWICE && (s[1] != '2' || s[2] != '5'))
				return 0;
			v = hex_number(s + skip, 2);
			if (v < 0)
				return 0;
			out[0] = (char)v;
			return skip + 2;
		}
	}
	return 1;
}

/* Length of the text at s that is this secret in this form, or 0. */
static size_t match_at(enum form f, const struct item *it, const char *s)
{
	size_t done = 0, i = 0;

	while (done < it->n && s[i]) {
		char means[4];
		size_t n, len = unit_at(f, s + i, means, &n);

		if (!len || n > it->n - done || memcmp(means, it->text + done, n) != 0)
			return 0;
		done += n;
		i += len;
	}
	return done == it->n ? i : 0;
}

/* Length of the longest secret at s in any form, or 0. first: the bytes with which one begins. */
static size_t longest_at(const bool first[256], const char *s)
{
	size_t best = 0;

	for (enum form f = FORM_RAW; f < FORM__COUNT; f++) {
		char means[4];
		size_t n;

		if (!unit_at(f, s, means, &n) || !first[(unsigned char)means[0]])
			continue;
		for (const struct item *it = home.items; it; it = it->next) {
			n = it->n >= MASK_MIN ? match_at(f, it, s) : 0;
			if (n > best)
				best = n;
		}
	}
	return best;
}

const char *secret_mask(struct arena *a, const char *s)
{
	bool first[256] = {false};
	size_t at = 0, end = 0; /* end of the stretch that is being masked */
	char *out = NULL, *o = NULL;

	for (const struct item *it = home.items; it; it = it->next)
		if (it->n >= MASK_MIN)
			first[(unsigned char)it->text[0]] = true;
	for (; s[at]; at++) {
		size_t n = longest_at(first, s + at);

		if (n && !out) {
			/* "***" is shorter than any secret. */
			out = o = arena_alloc(a, strlen(s) + 1);
			memcpy(out, s, at);
			o += at;
		}
		/* Secrets may overlap; the whole stretch they cover becomes one mark. */
		if (n && at >= end) {
			for (int i = 0; i < 3; i++)
				*o++ = '*';
		}
		if (n && at + n > end)
			end = at + n;
		if (o && at >= end)
			*o++ = s[at];
	}
	return out ? out : s;
}
