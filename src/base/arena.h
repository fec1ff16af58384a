/*
 * Bump arena: memory with one lifetime, freed at once.
 *
 * Allocation never fails for the caller: out of memory ends the process at
 * once (as SIGKILL would; the journal repairs, see src/README.md). Memory is
 * zeroed and aligned to 16 bytes. Not for secrets: those live in secret.h.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena {
	struct arena_block *head;
	size_t used; /* bytes handed out since the last reset */
};

void arena_init(struct arena *a);
void arena_reset(struct arena *a);   /* keeps one block for reuse */
void arena_release(struct arena *a); /* frees all; arena_init() makes it usable again */

void *arena_alloc(struct arena *a, size_t n);
/* A larger place with the old content, the rest zeroed; in place where it can. */
void *arena_grow(struct arena *a, void *old, size_t old_n, size_t new_n);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n); /* always NUL-terminated */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

#define arena_new(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define arena_array(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n)))

/*
 * Growing vector in an arena: struct { T *v; size_t n, cap; }.
 * VEC_PUSH evaluates to a pointer to the new element, which is zeroed unless
 * n was set back before. Pushing may move all elements.
 */
#define VEC(T)                                                                                     \
	struct {                                                                                   \
		T *v;                                                                              \
		size_t n, cap;                                                                     \
	}
#define VEC_PUSH(a, vec)                                                                           \
	((vec)->n == (vec)->cap ? (void)((vec)->v = arena_vec_grow((a), (vec)->v, &(vec)->cap,     \
	                                                           sizeof(*(vec)->v)))             \
	                        : (void)0,                                                         \
	 &(vec)->v[(vec)->n++])
void *arena_vec_grow(struct arena *a, void *v, size_t *cap, size_t elem);

#endif
