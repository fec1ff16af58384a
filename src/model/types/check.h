/* Small words that the checks of all types share. */
#ifndef MODEL_TYPES_CHECK_H
#define MODEL_TYPES_CHECK_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "model/batch.h"
#include "model/types/types.h"

/* Given in the manifest, whether its text is known already or not. */
static inline bool has(const struct resource *r, const char *key)
{
	return res_val(r, key)->state != V_UNSET;
}

/* Where a key stands; the section's header if it stands nowhere. */
static inline struct pos where(const struct resource *r, const char *key)
{
	const struct value *v = res_val(r, key);

	return v->state != V_UNSET && v->pos.line ? v->pos : r->pos;
}

static inline bool is(const struct resource *r, const char *key, const char *word)
{
	return text_ieq(res_get(r, key), word);
}

/* payment_type = Subscription asks for a duration; both types buy. */
void check_payment(const struct resource *r, struct diag *d);

#endif
