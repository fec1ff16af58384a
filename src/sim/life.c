/*
 * The course of a job's life behind a start (dts-api.md 3.2, 3.3) and what a scenario makes of it.
 */
#include "sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "sim/fields.h"
#include "sim/items.h"
#include "sim/scenario.h"

#define WORD_MAX 63

/* "Prechecking:5s PreCheckPass InitializeFailed": each status lasts as long as it says. */
static bool queue_course(struct world *w, struct job *j, const char *course)
{
	char word[WORD_MAX + 1], *colon;
	int64_t lasts = 0;
	bool first = true;
	enum status s;
	size_t n;

	while (*(course += strspn(course, " ,")) != '\0') {
		n = strcspn(course, " ,");
		if (n > WORD_MAX)
			return false;
		memcpy(word, course, n);
		word[n] = '\0';
		course += n;
		colon = strchr(word, ':');
		if (colon != NULL)
			*colon++ = '\0';
		s = st_parse(word);
		if (s == ST_NONE)
			return false;
		if (first)
			job_set_status(w, j, s);
		else
			job_queue(w, j, s, lasts);
		first = false;
		lasts = colon != NULL ? text_duration_ms(colon) : 0;
	}
	return true;
}

static bool own_course(struct world *w, struct job *j)
{
	struct life_row *r;

	for (size_t i = 0; i < w->sc->life.n; i++) {
		r = &w->sc->life.v[i];
		if (r->times != 0 && r->fired >= r->times)
			continue;
		if (!glob_list(r->job, str_or(j->name)))
			continue;
		r->fired++;
		return queue_course(w, j, r->course);
	}
	return false;
}

/* The items that fail in this precheck; NULL when it passes. */
static char *failing_items(struct world *w, struct arena *a, const struct job *j)
{
	struct json *list = json_new(a, JSON_ARRAY), *o;
	const struct precheck_row *r;

	for (size_t i = 0; i < w->sc->precheck.n; i++) {
		r = &w->sc->precheck.v[i];
		if (!glob_list(r->job, str_or(j->name)))
			continue;
		if (r->times != 0 && j->prechecks >= r->times)
			continue;
		if (item_in(j->skipped, r->item))
			continue;
		o = json_new(a, JSON_OBJECT);
		json_add(o, "item", json_new_str(a, r->item));
		json_add(o, "message", json_new_str(a, r->message));
		json_add(o, "repair", json_new_str(a, r->repair));
		json_add(o, "warning", json_new_bool(a, r->warning));
		json_add(list, NULL, o);
	}
	return list->n > 0 ? json_write_dup(a, list, false) : NULL;
}

static bool any_failed(struct arena *a, const char *items)
{
	struct json *list = items != NULL ? json_parse(a, items, strlen(items), NULL) : NULL;

	for (const struct json *o = list != NULL ? list->child : NULL; o != NULL; o = o->next)
		if (!json_true(json_get(o, "warning")))
			return true;
	return false;
}

/* Does the schema or full phase have anything to do? */
static bool initializes(const struct job *j)
{
	return j->structure_init || j->data_init;
}

static void queue_modules(struct world *w, struct job *j, int64_t lasts, bool initialize)
{
	enum status run = job_run_status(j);

	if (text_eq(j->type, "SUBSCRIBE")) {
		job_queue(w, j, ST_STARTING, lasts);
		job_queue(w, j, ST_NORMAL, w->sc->init_ms);
		return;
	}
	if (run == ST_MIGRATING) { /* 3.1: Migrating stands for every module */
		job_queue(w, j, ST_MIGRATING, lasts);
		if (!j->data_sync)
			job_queue(w, j, ST_FINISHED, w->sc->init_ms);
		return;
	}
	if (initialize && initializes(j)) {
		job_queue(w, j, ST_INITIALIZING, lasts);
		lasts = w->sc->init_ms;
	}
	job_queue(w, j, j->data_sync ? run : ST_FINISHED, lasts);
}

void job_start_precheck(struct world *w, struct job *j, bool go_on)
{
	struct arena a;
	char *items;
	bool failed;

	if (own_course(w, j))
		return;
	arena_init(&a);
	items = failing_items(w, &a, j);
	failed = any_failed(&a, items);
	str_set(&j->failed_items, items);
	arena_release(&a);
	j->prechecks++;
	job_set_status(w, j, ST_PRECHECKING);
	if (failed) {
		job_queue(w, j, ST_PRECHECK_FAILED, w->sc->precheck_ms);
		return;
	}
	job_queue(w, j, ST_PRECHECK_PASS, w->sc->precheck_ms);
	if (go_on) {
		if (j->begun_wall == 0)
			j->begun_wall = w->wall_ms;
		queue_modules(w, j, w->sc->pass_ms, true);
	}
}

void job_start_modules(struct world *w, struct job *j, bool initialize)
{
	if (own_course(w, j))
		return;
	j->next.n = 0;
	if (j->begun_wall == 0)
		j->begun_wall = w->wall_ms;
	queue_modules(w, j, initialize ? 0 : w->sc->resume_ms, initialize);
}
