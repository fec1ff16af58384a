/* After a trial: the clean rerun, the operator's answers, the comparison of world, states and request log. */
#include <stdio.h>
#include <string.h>

#include "base/sys.h"
#include "base/text.h"
#include "batch.h"
#include "lab.h"

const char *const apply_args[PARTIES][16] = {
	{"apply", "--yes", "--prune", "--max-deletes", "9", "--state", "s.state.json", "m.ini",
         NULL},
	{"apply", "--yes", "--state", "s2.state.json", "m2.ini", NULL},
};
static const char *const plan_args[PARTIES][16] = {
	{"plan", "--detailed-exitcode", "--prune", "--state", "s.state.json", "m.ini", NULL},
	{"plan", "--detailed-exitcode", "--state", "s2.state.json", "m2.ini", NULL},
};
static const char *const destroy_args[] = {"destroy", "--yes",        "--max-deletes", "99",
                                           "--state", "s.state.json", "m.ini",         NULL};

/* Each of these orders or restarts something: once it took effect, another one is one too many (dts-api.md 9). */
static const char *const once_only[] = {"ResetDtsJob", "TransferInstanceClass", "TransferPayType",
                                        "UpgradeTwoWay", "ModifyDtsJobEndpoint"};

/* ---- who is who -------------------------------------------------------------- */

struct scene {
	struct lab *l;
	const struct json *world, *state[PARTIES], *before[PARTIES]; /* before the trial */
	const struct json **log; /* request lines, in order, and their texts */
	const char **text;
	size_t nlog;
};

enum { STRANGER = PARTIES, NOBODY };

static bool live(const struct json *inst)
{
	const struct json *gone = json_get(inst, "gone_ms");

	return !gone || gone->i == 0;
}

static const struct json *first(const struct json *o, const char *list)
{
	const struct json *v = o ? json_get(o, list) : NULL;

	return v ? v->child : NULL;
}

static bool in_state(const struct json *state, const char *instance)
{
	for (const struct json *r = first(state, "resources"); r; r = r->next)
		if (text_eq(json_str(r, "instance_id"), instance))
			return true;
	return false;
}

static const struct json *find(const struct json *o, const char *list, const char *key,
                               const char *value)
{
	for (const struct json *v = first(o, list); v; v = v->next)
		if (text_eq(json_str(v, key), value))
			return v;
	return NULL;
}

static void read_log(struct scene *s)
{
	struct buf b;
	char *text, *nl;
	size_t lines = 0;

	buf_init(&b, (size_t)1 << 28);
	if (sys_read_file(lab_path(s->l, "requests.jsonl"), &b))
		buf_reset(&b);
	text = arena_strndup(&s->l->a, buf_str(&b), b.n);
	buf_release(&b);
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	s->log = arena_array(&s->l->a, const struct json *, lines + 1);
	s->text = arena_array(&s->l->a, const char *, lines + 1);
	for (s->nlog = 0; (nl = strchr(text, '\n')); text = nl + 1) {
		*nl = '\0';
		s->text[s->nlog] = text;
		s->log[s->nlog] = json_parse(&s->l->a, text, (size_t)(nl - text), NULL);
		s->nlog += s->log[s->nlog] != NULL;
	}
}

static int party_of(const char *key)
{
	for (int i = 0; i < PARTIES; i++)
		if (text_eq(parties[i].key_id, key))
			return i;
	return NOBODY;
}

/* A stranger; who recorded it before the trial; who bought it in the trial. */
static int owner(const struct scene *s, const struct json *inst)
{
	const char *id = json_str(inst, "id");

	if (json_true(json_get(inst, "stranger")))
		return STRANGER;
	for (int i = 0; i < PARTIES; i++)
		if (in_state(s->before[i], id))
			return i;
	for (size_t i = 0; i < s->nlog; i++)
		if (text_eq(json_str(s->log[i], "action"), "CreateDtsInstance") &&
		    json_true(json_get(s->log[i], "effect")) &&
		    text_eq(json_str(s->log[i], "instance"), id))
			return party_of(json_str(s->log[i], "key"));
	return NOBODY;
}

static void look(struct scene *s, struct lab *l, const struct json *world)
{
	*s = (struct scene){.l = l, .world = world};
	for (int i = 0; i < PARTIES; i++) {
		s->state[i] = lab_json(l, l->dir, parties[i].state);
		s->before[i] = lab_json(l, l->base, parties[i].state);
	}
	read_log(s);
}

/* ---- comparing ---------------------------------------------------------------- */

/* Does the request name the instance or one of its jobs? */
static bool names(const struct scene *s, const char *request, const struct json *inst)
{
	const char *id = json_str(inst, "id");

	if (strstr(request, id))
		return true;
	for (const struct json *j = first(s->world, "jobs"); j; j = j->next)
		if (text_eq(json_str(j, "instance"), id) && strstr(request, json_str(j, "id")))
			return true;
	return false;
}

static bool reads_only(const char *action)
{
	return text_empty(action) || text_starts(action, "Describe") || text_starts(action, "List");
}

/* Somebody changed, or took for his own, what is another's. */
static bool meddled(const struct scene *s, const struct json *inst, int own)
{
	for (int i = 0; i < PARTIES; i++)
		if (i != own && in_state(s->state[i], json_str(inst, "id")))
			return true;
	for (size_t i = 0; i < s->nlog; i++) {
		const struct json *r = s->log[i];

		if (!json_true(json_get(r, "effect")) || reads_only(json_str(r, "action")) ||
		    party_of(json_str(r, "key")) == own)
			continue;
		if (names(s, s->text[i], inst))
			return true;
	}
	return own == STRANGER && !live(inst);
}

static void compare_instances(const struct scene *s, const struct wanted *const want[PARTIES],
                              struct verdict_counts *c)
{
	size_t ours[PARTIES] = {0};

	for (const struct json *i = first(s->world, "instances"); i; i = i->next) {
		int own = owner(s, i);

		c->foreign += meddled(s, i, own);
		if (own == NOBODY)
			c->orphans++; /* cannot be: nobody bought it */
		if (own >= PARTIES || !live(i))
			continue;
		ours[own]++;
		c->orphans += !in_state(s->state[own], json_str(i, "id"));
	}
	for (int p = 0; p < PARTIES; p++)
		if (ours[p] > want[p]->instances)
			c->duplicates += ours[p] - want[p]->instances;
}

static bool there(const struct scene *s, const struct json *record, int party)
{
	const struct json *i = find(s->world, "instances", "id", json_str(record, "instance_id")),
			  *j;

	if (!i || !live(i) || owner(s, i) != party)
		return false;
	if (!text_eq(json_str(record, "type"), "synchronization_job"))
		return true;
	j = find(s->world, "jobs", "id", json_str(record, "job_id"));
	return j && live(j) && text_eq(json_str(j, "instance"), json_str(i, "id"));
}

static void compare_records(const struct scene *s, int party, const struct wanted *w,
                            struct verdict_counts *c)
{
	for (size_t i = 0; w->addresses[i]; i++) {
		const struct json *r =
			find(s->state[party], "resources", "address", w->addresses[i]);

		c->lost += !r || !there(s, r, party);
	}
}

/* Up to the end of the rerun that counts. */
static size_t sent_again(const struct scene *s, const char *action)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nlog && i < s->l->fair; i++) {
		const struct json *r = s->log[i];
		bool before = false;

		if (!text_eq(json_str(r, "action"), action) || !json_str(r, "instance"))
			continue;
		for (size_t k = 0; k < i && !before; k++)
			before = text_eq(json_str(s->log[k], "action"), action) &&
			         json_true(json_get(s->log[k], "effect")) &&
			         text_eq(json_str(s->log[k], "instance"), json_str(r, "instance"));
		if (before)
			fprintf(stderr, "lab: %s was sent again for %s (request %zu)\n", action,
			        json_str(r, "instance"), i + 1);
		n += before;
	}
	return n;
}

struct grep {
	size_t hits;
};

static void grep_file(const char *path, const char *name, void *arg)
{
	static const char secret[] = "Zq7secret";
	struct grep *g = arg;
	struct buf b;

	(void)name;
	buf_init(&b, (size_t)1 << 28);
	if (sys_read_file(path, &b) == 0 && b.n && memmem(b.p, b.n, secret, sizeof secret - 1)) {
		g->hits++;
		fprintf(stderr, "lab: a secret in %s\n", path);
	}
	buf_release(&b);
}

static void compare(struct lab *l, const struct expectation *x, struct verdict_counts *c)
{
	static const struct wanted nothing;
	const struct wanted *const want[PARTIES] = {x->destroy ? &nothing : &want_after,
	                                            x->second ? &want_second_after
	                                                      : &want_second_before};
	struct grep g = {0};
	struct scene s;

	look(&s, l, lab_json(l, l->dir, "w.json"));
	compare_instances(&s, want, c);
	for (int p = 0; p < PARTIES; p++)
		compare_records(&s, p, want[p], c);
	for (size_t i = 0; i < sizeof once_only / sizeof *once_only; i++)
		c->duplicates += sent_again(&s, once_only[i]);
	if (x->destroy)
		c->unclean +=
			first(s.state[FIRST], "resources") || first(s.state[FIRST], "intents");
	lab_each_file(l->dir, grep_file, &g);
	c->secrets += g.hits;
	for (int p = 0; p < PARTIES; p++) {
		c->invalid += l->watch[p]->bad;
		if (l->watch[p]->bad)
			fprintf(stderr, "lab: %s was %s\n", parties[p].state, l->watch[p]->why);
	}
}

/* ---- the operator ---------------------------------------------------------------- */

/* An instance that this party bought and does not know; NULL if there is none (left). */
static const char *unknown_of(const struct scene *s, int party, const char *const *given, size_t n)
{
	for (const struct json *i = first(s->world, "instances"); i; i = i->next) {
		const char *id = json_str(i, "id");
		bool used = !live(i) || owner(s, i) != party || in_state(s->state[party], id);

		for (size_t k = 0; k < n; k++)
			used = used || text_eq(given[k], id);
		if (!used)
			return id;
	}
	return NULL;
}

static int answer(struct lab *l, int party, const char *address, const char *id)
{
	const struct party *p = &parties[party];
	const char *take[] = {"import",    "--yes", "--state", p->state, "--file",
	                      p->manifest, address, id,        NULL},
		   *drop[] = {"state",  "forget-intent", "--yes", "--state",
	                      p->state, address,         NULL};

	return lab_cmd(l, party, id ? take : drop);
}

/*
 * Answers what a run asked (exit 4), as an operator would who looks at the console: takes over what this party bought,
 * and says of the rest that it did not arrive. Returns the number of answers; 0: there was no question.
 */
static size_t decide(struct lab *l, int party, struct verdict_counts *c)
{
	const char *args[] = {"state", "list", "--json", "--state", parties[party].state, NULL};
	const char *given[16] = {NULL}, *world = lab_control(l, "/_sim/world", NULL);
	struct run_spec list = {.args = args, .party = party, .out = "questions"};
	struct verdict_counts half = {0};
	char *line, *nl;
	size_t n = 0;
	struct scene s;
	struct buf b;

	look(&s, l, json_parse(&l->a, world, strlen(world), NULL));
	/* Even now nothing of somebody else's may be touched. */
	for (const struct json *i = first(s.world, "instances"); i; i = i->next)
		half.foreign += meddled(&s, i, owner(&s, i));
	c->foreign += half.foreign;
	lab_run(l, &list);
	buf_init(&b, (size_t)1 << 26);
	if (sys_read_file(lab_path(l, "questions"), &b))
		buf_reset(&b);
	line = arena_strndup(&l->a, buf_str(&b), b.n);
	buf_release(&b);
	for (; (nl = strchr(line, '\n')) && n < 16; line = nl + 1) {
		const struct json *q = json_parse(&l->a, line, (size_t)(nl - line), NULL);

		if (!q || !text_eq(json_str(q, "type"), "question") ||
		    !text_eq(json_str(q, "action"), "CreateDtsInstance"))
			continue;
		given[n] = unknown_of(&s, party, given, n);
		if (answer(l, party, json_str(q, "address"), given[n])) {
			fprintf(stderr, "lab: the answer %s for %s was refused\n",
			        given[n] ? given[n] : "none", json_str(q, "address"));
			c->stuck++;
		}
		n++;
	}
	return n;
}

/* ---- the clean rerun ------------------------------------------------------------- */

static size_t lines_of(struct lab *l, const char *name)
{
	struct buf b;
	size_t n = 0;

	buf_init(&b, (size_t)1 << 28);
	if (sys_read_file(lab_path(l, name), &b) == 0)
		for (const char *p = buf_str(&b); (p = strchr(p, '\n')); p++)
			n++;
	buf_release(&b);
	return n;
}

/* The first thing a run says that it could not do. */
static void say_reason(struct lab *l, const struct expectation *x, const char *file, int rc)
{
	static const char *const marks[] = {"\n  failed ", "\n  decision needed  ", "error: "};
	struct buf b;
	const char *at = NULL;

	buf_init(&b, (size_t)1 << 28);
	if (sys_read_file(lab_path(l, file), &b))
		buf_reset(&b);
	for (size_t i = 0; !at && i < sizeof marks / sizeof *marks; i++)
		at = strstr(buf_str(&b), marks[i]);
	at = at && *at == '\n' ? at + 3 : at;
	fprintf(stderr, "lab: %s: %s ended with %d: %.*s\n", x->what, file, rc,
	        at ? (int)strcspn(at, "\n") : 0, at ? at : "");
	buf_release(&b);
}

/* The first rerun does it, or asks; what is asked is answered once. Returns the last exit status. */
static int rerun(struct lab *l, const struct expectation *x, int party, const char *const *args,
                 struct verdict_counts *c)
{
	struct run_spec s = {
		.args = args, .party = party, .out = party == FIRST ? "rerun" : "rerun-2"};
	const char *journal = party == FIRST ? "s.state.journal" : "s2.state.journal";
	/* It died between the fence's question and the answer, which burned the nonce: nothing tells any more what arrived. */
	bool asked = lab_file_count(l, journal, "fence_asked") >
	             2 * lab_file_count(l, journal, "\"arrived\"");
	struct run_end end = lab_run(l, &s);
	int rc = end.status;

	if (rc == 4 && (x->others || asked) && lab_file_has(l, s.out, "could be it") &&
	    decide(l, party, c)) {
		c->decisions++;
		s.out = party == FIRST ? "decided" : "decided-2";
		rc = lab_run(l, &s).status;
	}
	if (rc) {
		say_reason(l, x, s.out, rc);
		c->stuck++;
		if (l->fair == SIZE_MAX)
			l->fair = lines_of(l, "requests.jsonl");
		/* Again, so that only this is wrong, not everything that follows from it. */
		for (int i = 0; i < 3 && !end.hung && lab_cmd(l, party, args); i++)
			;
	}
	return rc;
}

bool lab_verify(struct lab *l, const struct expectation *x, struct verdict_counts *c)
{
	struct verdict_counts was = *c;
	int rc[PARTIES] = {0}, plan[PARTIES] = {0};

	rc[FIRST] = rerun(l, x, FIRST, x->destroy ? destroy_args : apply_args[FIRST], c);
	if (x->second)
		rc[SECOND] = rerun(l, x, SECOND, apply_args[SECOND], c);
	for (int p = x->destroy ? SECOND : FIRST; p < (x->second ? PARTIES : SECOND); p++) {
		plan[p] = lab_cmd(l, p, plan_args[p]);
		c->unclean += plan[p] != 0;
	}
	lab_stop(l);
	compare(l, x, c);
	was.decisions = c->decisions;
	if (memcmp(&was, c, sizeof was) == 0)
		return true;
	c->failed++;
	fprintf(stderr,
	        "lab: %s: exit %d/%d, plan %d/%d, duplicates %zu orphans %zu foreign %zu lost %zu unclean %zu invalid %zu stuck %zu (files in %s)\n",
	        x->what, rc[FIRST], rc[SECOND], plan[FIRST], plan[SECOND],
	        c->duplicates - was.duplicates, c->orphans - was.orphans, c->foreign - was.foreign,
	        c->lost - was.lost, c->unclean - was.unclean, c->invalid - was.invalid,
	        c->stuck - was.stuck, l->dir);
	return false;
}
