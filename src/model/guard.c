#include "model/guard.h"

#include "base/err.h"
#include "model/plan.h"

/* More than two and more than a fifth of what is recorded: no routine change looks like this. */
static bool is_many(size_t n, size_t recorded)
{
	return n > 2 && n * 5 > recorded;
}

int guard_smells(const struct plan *p, struct err *e)
{
	if (!is_many(p->gone, p->known) && !(p->gone && p->gone == p->known))
		return 0;
	err_set(e, ERR_DECISION,
	        "%zu of %zu recorded resources are gone on the service; this smells of a wrong "
	        "account, region or endpoint",
	        p->gone, p->known);
	return err_hint(e, "check them; if it is true, run again with --max-gone %zu", p->gone);
}

int guard_check(const struct plan *p, const struct guard_opts *o, struct err *e)
{
	size_t lost = p->count[OP_DELETE] + p->count[OP_REPLACE];
	size_t changes = lost + p->count[OP_CREATE] + p->count[OP_UPDATE] + p->count[OP_ADOPT] +
	                 p->count[OP_RESUME];

	if (o->max_changes >= 0 && changes > (size_t)o->max_changes) {
		err_set(e, ERR_DECISION, "the plan has %zu changes, --max-changes allows %lld",
		        changes, (long long)o->max_changes);
		return err_hint(e, "look at `dtsbatch plan`, then raise --max-changes");
	}
	if (o->max_deletes >= 0 && lost > (size_t)o->max_deletes) {
		err_set(e, ERR_DECISION,
		        "the plan deletes or replaces %zu resources, --max-deletes allows %lld",
		        lost, (long long)o->max_deletes);
		return err_hint(e, "look at `dtsbatch plan`, then raise --max-deletes");
	}
	if (o->max_gone >= 0 && p->gone > (size_t)o->max_gone) {
		err_set(e, ERR_DECISION,
		        "%zu recorded resources are gone on the service, --max-gone allows %lld",
		        p->gone, (long long)o->max_gone);
		return err_hint(e, "check account, region and endpoint");
	}
	if (o->looked)
		return 0;
	if (!o->imported && o->max_gone < 0 && guard_smells(p, e))
		return -1;
	if (o->destroy)
		return 0;
	if (p->twins) {
		err_set(e, ERR_DECISION,
		        "an equal job exists already for %zu of the jobs that are to be created, and the state "
		        "does not know it",
		        p->twins);
		return err_hint(
			e,
			"`dtsbatch plan` names them; `dtsbatch import ADDRESS ID` or `dtsbatch state "
			"rebuild` takes them over, --allow-twins creates others beside them");
	}
	if (o->max_deletes < 0 && is_many(lost, p->recorded)) {
		err_set(e, ERR_DECISION,
		        "the plan deletes or replaces %zu of %zu recorded resources and nobody "
		        "looked at it",
		        lost, p->recorded);
		return err_hint(e, "look at `dtsbatch plan`, then run again with --max-deletes %zu",
		                lost);
	}
	return 0;
}
