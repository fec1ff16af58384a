#include "base/diag.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

void diag_init(struct diag *d, struct arena *a)
{
	*d = (struct diag){.a = a};
}

static void add(struct diag *d, enum diag_level level, struct pos p, const char *hint,
                const char *fmt, va_list ap) __attribute__((format(printf, 5, 0)));

static void add(struct diag *d, enum diag_level level, struct pos p, const char *hint,
                const char *fmt, va_list ap)
{
	struct diag_item *it = VEC_PUSH(d->a, d);

	*it = (struct diag_item){.level = level, .pos = p};
	it->msg = arena_vprintf(d->a, fmt, ap);
	it->hint = hint ? arena_strdup(d->a, hint) : NULL;
}

void diag_error(struct diag *d, struct pos p, const char *hint, const char *fmt, ...)
{
	va_list ap;

	d->dropping = d->errors++ >= DIAG_MAX;
	if (d->dropping)
		return;
	va_start(ap, fmt);
	add(d, DIAG_ERROR, p, hint, fmt, ap);
	va_end(ap);
}

void diag_warn(struct diag *d, struct pos p, const char *hint, const char *fmt, ...)
{
	va_list ap;

	d->dropping = d->warnings++ >= DIAG_MAX;
	if (d->dropping)
		return;
	va_start(ap, fmt);
	add(d, DIAG_WARNING, p, hint, fmt, ap);
	va_end(ap);
}

void diag_note(struct diag *d, struct pos p, const char *hint, const char *fmt, ...)
{
	va_list ap;

	if (d->dropping) /* it explains what was dropped */
		return;
	va_start(ap, fmt);
	add(d, DIAG_NOTE, p, hint, fmt, ap);
	va_end(ap);
}

void diag_remark(struct diag *d, struct pos p, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(d, DIAG_NOTE, p, hint, fmt, ap);
	va_end(ap);
	d->v[d->n - 1].alone = true;
}

/* A note stands behind what it explains, so it sorts by the position of that item (its leader). */
struct order {
	struct pos at;
	size_t leader, index;
};

static int order_cmp(const void *va, const void *vb)
{
	const struct order *a = va, *b = vb;
	int c;

	if (!a->at.file != !b->at.file)
		return a->at.file ? -1 : 1;
	if (a->at.file) {
		c = strcmp(a->at.file, b->at.file);
		if (c)
			return c;
		if (a->at.line != b->at.line)
			return a->at.line < b->at.line ? -1 : 1;
		if (a->at.col != b->at.col)
			return a->at.col < b->at.col ? -1 : 1;
	}
	if (a->leader != b->leader)
		return a->leader < b->leader ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

void diag_sort(struct diag *d)
{
	struct order *o;
	struct diag_item *sorted;
	size_t leader = 0;

	if (d->n < 2)
		return;
	o = arena_array(d->a, struct order, d->n);
	sorted = arena_array(d->a, struct diag_item, d->n);
	for (size_t i = 0; i < d->n; i++) {
		if (d->v[i].level != DIAG_NOTE || d->v[i].alone)
			leader = i;
		o[i] = (struct order){.at = d->v[leader].pos, .leader = leader, .index = i};
	}
	qsort(o, d->n, sizeof *o, order_cmp);
	for (size_t i = 0; i < d->n; i++)
		sorted[i] = d->v[o[i].index];
	memcpy(d->v, sorted, d->n * sizeof *sorted);
}
