/* What a plan amounts to: where money begins and ends, what hangs on a refusal, and the totals. */
#include <string.h>

#include "base/text.h"
#include "model/plan_internal.h"

/* ---- money ------------------------------------------------------------- */

static bool is_reverse(const struct op *op)
{
	return op->have && record_reverse(op->have);
}

static const char *instance_of(const struct op *op)
{
	if (op->seen && *op->seen->instance_id)
		return op->seen->instance_id;
	return op->have && op->have->instance_id ? op->have->instance_id : "";
}

/* Which deletion of one instance ends its billing: its own, else that of the job that is released last, the forward one. */
static int weight(const struct op *op)
{
	return op->type == &type_instance ? 2 : is_reverse(op) ? 0 : 1;
}

/* An instance is paid once, whatever lives on it, and stops costing once: with one of the operations that delete it. */
void plan_money(struct planner *pl)
{
	struct map last; /* instance id -> its weightiest deletion so far */

	map_init(&last, pl->a);
	for (uint32_t i = 0; i < pl->ops.n; i++) {
		struct op *op = &pl->ops.v[i], *other;
		const char *id = instance_of(op);
		uint32_t k;

		if (!(op->impact & IMPACT_STOPS_PAYING) || op->kind != OP_DELETE)
			continue;
		k = *id && !op->refused ? map_get(&last, id) : MAP_NONE;
		other = k == MAP_NONE ? NULL : &pl->ops.v[k];
		/* Never bought; paid in advance; the reverse link alone; or another one ends it. */
		if (!*id || (op->seen && text_ieq(op->seen->pay_type, "PrePaid")) ||
		    weight(op) == 0 || (other && weight(other) > weight(op)))
			op->impact &= ~(unsigned)IMPACT_STOPS_PAYING;
		else if (!op->refused)
			map_put(&last, id, i);
		if (other && (op->impact & IMPACT_STOPS_PAYING))
			other->impact &= ~(unsigned)IMPACT_STOPS_PAYING;
	}
}

/* ---- refusals ------------------------------------------------------------ */

void plan_blocked(struct planner *pl)
{
	struct plan *p = pl->p;
	uint32_t *order;
	size_t refused = 0;

	for (size_t i = 0; i < p->n; i++)
		refused += p->ops[i].refused != NULL;
	if (!refused)
		return;
	order = arena_array(pl->a, uint32_t, p->n + 1);
	if (!graph_order(&p->graph, pl->a, order))
		return;
	for (size_t k = 0; k < p->n; k++) {
		struct op *op = &p->ops[order[k]];

		if (op->kind == OP_NOOP || op->refused)
			continue;
		for (uint32_t e = p->graph.out_at[order[k]];
		     !op->blocked_by && e < p->graph.out_at[order[k] + 1]; e++) {
			const struct op *before = &p->ops[p->graph.out[e]];

			op->blocked_by = before->refused ? before->address : before->blocked_by;
		}
	}
}

/* ---- totals -------------------------------------------------------------- */

void plan_count(struct plan *p)
{
	memset(p->count, 0, sizeof p->count);
	memset(p->impact, 0, sizeof p->impact);
	p->refused = p->blocked = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct op *op = &p->ops[i];

		if (op->refused || op->blocked_by) {
			*(op->refused ? &p->refused : &p->blocked) += 1;
			continue;
		}
		p->count[op->kind]++;
		for (unsigned b = 0; b < 7; b++)
			p->impact[b] += (op->impact >> b) & 1;
	}
}
