#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/sys.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
/* Poisoned bytes behind each piece: an overrun inside a block is seen, too. */
#define GAP 16
#define POISON(p, n) ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define GAP 0
#define POISON(p, n) ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define ALIGN 16
#define FIRST_BYTES ((size_t)8 << 10)
#define LIMIT_BYTES ((size_t)1 << 20) /* blocks double up to this; larger pieces get their own */

struct arena_block {
	struct arena_block *next;
	size_t at, cap; /* offsets into mem */
	_Alignas(ALIGN) char mem[];
};

void arena_init(struct arena *a)
{
	*a = (struct arena){0};
}

static void block_free(struct arena_block *b)
{
	UNPOISON(b->mem, b->cap);
	sys_free(b);
}

void arena_reset(struct arena *a)
{
	struct arena_block *keep = NULL;

	/* The largest ordinary block stays: the next use of the same kind then fits without malloc.
	 * Blocks above the limit go back, or one huge answer would be held for ever. */
	for (struct arena_block *b = a->head; b; b = b->next)
		if (b->cap <= LIMIT_BYTES && (!keep || b->cap > keep->cap))
			keep = b;
	for (struct arena_block *b = a->head, *next; b; b = next) {
		next = b->next;
		if (b != keep)
			block_free(b);
	}
	if (keep) {
		keep->next = NULL;
		keep->at = 0;
		POISON(keep->mem, keep->cap);
	}
	a->head = keep;
	a->used = 0;
}

void arena_release(struct arena *a)
{
	for (struct arena_block *b = a->head, *next; b; b = next) {
		next = b->next;
		block_free(b);
	}
	arena_init(a);
}

static size_t rounded(size_t n)
{
	if (n > SIZE_MAX / 2 - ALIGN - GAP)
		sys_die_oom();
	return ((n + ALIGN - 1) & ~(size_t)(ALIGN - 1)) + GAP;
}

static struct arena_block *block_new(struct arena *a, size_t need)
{
	size_t cap = a->head ? a->head->cap * 2 : FIRST_BYTES;
	struct arena_block *b;

	if (cap > LIMIT_BYTES)
		cap = LIMIT_BYTES;
	if (cap < need)
		cap = need;
	b = sys_malloc(sizeof *b + cap);
	b->at = 0;
	b->cap = cap;
	POISON(b->mem, cap);
	if (a->head && cap == need && a->head->cap - a->head->at > cap / 8) {
		/* A big piece of its own: the head still has room worth keeping in front. */
		b->next = a->head->next;
		a->head->next = b;
	} else {
		b->next = a->head;
		a->head = b;
	}
	return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
	size_t need = rounded(n ? n : 1);
	struct arena_block *b = a->head;
	char *p;

	if (!b || b->cap - b->at < need)
		b = block_new(a, need);
	p = b->mem + b->at;
	b->at += need;
	a->used += need;
	UNPOISON(p, n);
	memset(p, 0, n);
	return p;
}

void *arena_grow(struct arena *a, void *old, size_t old_n, size_t new_n)
{
	struct arena_block *b = a->head;
	char *p;

	if (old && new_n <= old_n)
		return old;
	/* The last piece of the head block grows where it is: a vector filled in one go copies
	 * nothing. */
	if (old && b && old_n && (char *)old + rounded(old_n) == b->mem + b->at) {
		size_t more = rounded(new_n) - rounded(old_n);

		if (b->cap - b->at >= more) {
			b->at += more;
			a->used += more;
			UNPOISON(old, new_n);
			memset((char *)old + old_n, 0, new_n - old_n);
			return old;
		}
	}
	p = arena_alloc(a, new_n);
	if (old && old_n)
		memcpy(p, old, old_n);
	return p;
}

void *arena_vec_grow(struct arena *a, void *v, size_t *cap, size_t elem)
{
	size_t n = *cap ? *cap * 2 : 8;

	if (n > SIZE_MAX / 2 / elem)
		sys_die_oom();
	v = arena_grow(a, v, *cap * elem, n * elem);
	*cap = n;
	return v;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = arena_alloc(a, n + 1);

	if (n)
		memcpy(p, s, n);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char first[256], *p;
	va_list again;
	int n;

	/* Nearly every text is short: formatted once and copied. */
	va_copy(again, ap);
	n = vsnprintf(first, sizeof first, fmt, again);
	va_end(again);
	if (n < 0)
		BUG("cannot format \"%s\"", fmt);
	p = arena_alloc(a, (size_t)n + 1);
	if ((size_t)n < sizeof first)
		return memcpy(p, first, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}
