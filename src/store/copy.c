/* A state as the beginning of another one: what a rehearsal starts from. */
#include <string.h>

#include "store/state_internal.h"

int state_copy(struct state *to, struct state *from, struct err *e)
{
	size_t n;
	const struct record *const *v = state_list(from, &n);

	content_set_files(&to->c, (const char *const *)from->c.files, from->c.nfiles);
	if (from->have_key) { /* or the fingerprints of secrets would say nothing there */
		memcpy(to->key, from->key, sizeof(to->key));
		to->have_key = true;
		to->key_on_disk = false;
	}
	if (to->mode == STATE_READ) { /* seen by this process alone */
		for (size_t i = 0; i < n; i++)
			content_put(&to->c, v[i]);
		return 0;
	}
	if (to->have_key)
		key_check(to->key, to->c.lineage, to->c.key_check);
	/* The head of the journal names the key: a new one, before anything stands in it. */
	journal_close(&to->j);
	if (journal_create(&to->j, &to->c, to->base, to->reserve, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		state_put(to, v[i]);
	return state_flush(to, e);
}
