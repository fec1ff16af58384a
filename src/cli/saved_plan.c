#include "cli/saved_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/sys.h"
#include "base/text.h"
#include "cli/load.h"
#include "model/plan.h"
#include "store/state.h"

#define FORMAT 1
#define MARK "dtsbatch_plan"
#define FILE_MAX ((size_t)256 << 20)
#define SHOWN_MAX 3 /* so many differences are named */

/* ---- the content ----------------------------------------------------------- */

/* Of every manifest its name and the hash of its bytes: a file more or less counts, too. */
static int hash_manifests(struct arena *a, const struct batch *b, const char **out, struct err *e)
{
	struct buf all, one;
	uint8_t sum[32];
	char hex[65];
	int rc = 0;

	buf_init(&all, SIZE_MAX);
	buf_init(&one, (size_t)MANIFEST_FILE_MAX + 1);
	for (size_t i = 0; !rc && i < b->nfiles; i++) {
		buf_reset(&one);
		if (sys_read_file(b->files[i], &one)) {
			rc = err_set(e, ERR_MANIFEST, "cannot read %s: %s", b->files[i],
			             strerror(errno));
			break;
		}
		hash_sha256(buf_str(&one), one.n, sum);
		hash_hex(sum, sizeof sum, hex);
		buf_printf(&all, "%s %s\n", hex, b->files[i]);
	}
	hash_sha256(buf_str(&all), all.n, sum);
	hash_hex(sum, sizeof sum, hex);
	if (!rc)
		*out = arena_printf(a, "sha256:%s", hex);
	buf_release(&one);
	buf_release(&all);
	return rc;
}

static void add_str(struct arena *a, struct json *o, const char *key, const char *value)
{
	if (value)
		json_add(o, key, json_new_str(a, value));
}

static struct json *change_json(struct arena *a, const struct op *op, const struct change *c)
{
	struct json *o = json_new(a, JSON_OBJECT);

	add_str(a, o, "key", op->type->attrs[c->attr].key);
	add_str(a, o, "from", c->from);
	add_str(a, o, "to", c->to);
	return o;
}

static struct json *op_json(struct arena *a, const struct op *op)
{
	struct json *o = json_new(a, JSON_OBJECT), *changes = json_new(a, JSON_ARRAY),
		    *steps = json_new(a, JSON_ARRAY);

	add_str(a, o, "address", op->address);
	add_str(a, o, "action", op_kind_name(op->kind));
	add_str(a, o, "id", op->have ? op->have->id : op->new_id);
	add_str(a, o, "refused", op->refused);
	add_str(a, o, "released_by", op->released_by);
	if (op->protect != PROTECT_AS_IS)
		add_str(a, o, "protect", op->protect == PROTECT_ON ? "true" : "false");
	for (size_t i = 0; i < op->nchanges; i++)
		json_add(changes, NULL, change_json(a, op, &op->changes[i]));
	for (unsigned i = 0; i < op->nsteps; i++)
		json_add(steps, NULL, json_new_str(a, step_def(op->steps[i])->verb));
	json_add(o, "changes", changes);
	json_add(o, "steps", steps);
	return o;
}

static struct json *changes_json(struct arena *a, const struct plan *p)
{
	struct json *list = json_new(a, JSON_ARRAY);

	for (size_t i = 0; i < p->n; i++)
		if (p->ops[i].kind != OP_NOOP || p->ops[i].refused)
			json_add(list, NULL, op_json(a, &p->ops[i]));
	return list;
}

static struct json *list_json(struct arena *a, const struct opt_list *l, bool names_only)
{
	struct json *list = json_new(a, JSON_ARRAY);

	for (size_t i = 0; i < l->n; i++)
		json_add(list, NULL,
		         json_new_str(a, names_only
		                                 ? arena_strndup(a, l->v[i], strcspn(l->v[i], "="))
		                                 : l->v[i]));
	return list;
}

static struct json *manifests_json(struct arena *a, const struct options *o)
{
	struct json *list = list_json(a, &o->args, false);

	for (size_t i = 0; i < o->files.n; i++)
		json_add(list, NULL, json_new_str(a, o->files.v[i]));
	if (list->n == 0)
		json_add(list, NULL, json_new_str(a, "."));
	return list;
}

static struct json *head_json(struct arena *a, const struct plan_source *from, const char *hash)
{
	struct json *o = json_new(a, JSON_OBJECT);
	char now[21];

	text_utc(sys_wall_ms() / 1000, now);
	json_add(o, MARK, json_new_int(a, FORMAT));
	add_str(a, o, "made", arena_strdup(a, now));
	add_str(a, o, "version", DTSBATCH_VERSION);
	add_str(a, o, "state", from->l->named_state);
	add_str(a, o, "lineage", state_lineage(from->state));
	json_add(o, "serial", json_new_int(a, (int64_t)state_serial(from->state)));
	json_add(o, "simulated", json_new_bool(a, from->o->simulate));
	json_add(o, "manifests", manifests_json(a, from->o));
	add_str(a, o, "manifest_hash", hash);
	add_str(a, o, "region", from->o->region);
	add_str(a, o, "endpoint", from->o->endpoint);
	json_add(o, "prune", json_new_bool(a, from->o->prune));
	json_add(o, "targets", list_json(a, &from->o->targets, false));
	json_add(o, "excludes", list_json(a, &from->o->excludes, false));
	json_add(o, "replaces", list_json(a, &from->o->replaces, false));
	json_add(o, "vars", list_json(a, &from->o->vars, true));
	return o;
}

/* ---- writing ------------------------------------------------------------------ */

bool saved_plan_looks(const char *path)
{
	char head[64];
	struct stat st;
	ssize_t n;
	int fd;

	/* What can be read once only is not looked into. */
	if (stat(path, &st) || !S_ISREG(st.st_mode) || (fd = sys_open(path, O_RDONLY, 0)) < 0)
		return false;
	n = read(fd, head, sizeof head - 1);
	close(fd);
	head[n > 0 ? n : 0] = 0;
	return head[strspn(head, " \t\r\n")] == '{';
}

int saved_plan_may_write(const char *path, struct err *e)
{
	struct saved_plan s;
	struct arena a;
	struct stat st;
	int rc = 0;

	if (lstat(path, &st))
		return errno == ENOENT
		               ? 0
		               : err_set(e, ERR_USAGE, "--out %s: %s", path, strerror(errno));
	arena_init(&a);
	if (!S_ISREG(st.st_mode) || !saved_plan_looks(path) ||
	    saved_plan_read(&s, &a, path, NULL)) {
		rc = err_set(e, ERR_USAGE, "--out %s: it exists and is no saved plan", path);
		err_hint(e, "name another file, or remove this one");
	}
	arena_release(&a);
	return rc;
}

int saved_plan_write(const char *path, struct arena *a, const struct plan_source *from,
                     const struct plan *p, struct err *e)
{
	const char *hash, *sep = "\n";
	struct json *changes = changes_json(a, p);
	struct buf b;
	int rc = 0;

	if (hash_manifests(a, &from->l->b, &hash, e))
		return -1;
	buf_init(&b, FILE_MAX);
	json_write(&b, head_json(a, from, hash), false);
	b.p[--b.n] = 0; /* the closing brace comes after the changes, which stand one a line */
	buf_puts(&b, ",\n\"changes\":[");
	for (const struct json *c = changes->child; c; c = c->next, sep = ",\n") {
		buf_puts(&b, sep);
		json_write(&b, c, false);
	}
	buf_puts(&b, "\n]}\n");
	if (b.over)
		rc = err_set(e, ERR_FAILED, "the plan is too large for %s", path);
	else if (sys_replace_file(path, 0600, buf_str(&b), b.n))
		rc = err_set(e, ERR_FAILED, "cannot write the plan %s: %s", path, strerror(errno));
	buf_release(&b);
	return rc;
}

/* ---- reading ------------------------------------------------------------------ */

static bool read_list(struct arena *a, const struct json *o, const char *key, struct opt_list *l)
{
	const struct json *v = json_get(o, key);

	if (!v || v->type != JSON_ARRAY)
		return false;
	for (const struct json *i = v->child; i; i = i->next) {
		if (i->type != JSON_STRING)
			return false;
		*VEC_PUSH(a, l) = i->s;
	}
	return true;
}

static bool read_serial(const struct json *o, uint64_t *serial)
{
	const struct json *v = json_get(o, "serial");

	if (!v || v->type != JSON_NUMBER || !v->is_int || v->i < 0)
		return false;
	*serial = (uint64_t)v->i;
	return true;
}

static bool read_members(struct saved_plan *s, struct arena *a, const struct json *o)
{
	s->state = json_str(o, "state");
	s->lineage = json_str(o, "lineage");
	s->hash = json_str(o, "manifest_hash");
	s->region = json_str(o, "region");
	s->endpoint = json_str(o, "endpoint");
	s->simulated = json_true(json_get(o, "simulated"));
	s->prune = json_true(json_get(o, "prune"));
	s->changes = json_get(o, "changes");
	return s->state && s->lineage && s->hash && s->changes && s->changes->type == JSON_ARRAY &&
	       read_serial(o, &s->serial) && read_list(a, o, "manifests", &s->manifests) &&
	       s->manifests.n && read_list(a, o, "targets", &s->targets) &&
	       read_list(a, o, "excludes", &s->excludes) &&
	       read_list(a, o, "replaces", &s->replaces) && read_list(a, o, "vars", &s->vars);
}

int saved_plan_read(struct saved_plan *s, struct arena *a, const char *path, struct err *e)
{
	const struct json *o, *mark;
	struct json_err je;
	struct buf b;
	int rc = 0;

	*s = (struct saved_plan){.path = path};
	buf_init(&b, FILE_MAX);
	if (sys_read_file(path, &b)) {
		rc = err_set(e, ERR_MANIFEST, "cannot read %s: %s", path, strerror(errno));
	} else if (!(o = json_parse(a, buf_str(&b), b.n, &je))) {
		rc = err_set(e, ERR_MANIFEST, "%s begins like a saved plan, but is damaged: %s",
		             path, je.msg);
	} else if (!(mark = json_get(o, MARK))) {
		rc = err_set(e, ERR_MANIFEST, "%s is JSON, but no saved plan and no manifest",
		             path);
	} else if (mark->type != JSON_NUMBER || mark->i != FORMAT) {
		rc = err_set(e, ERR_MANIFEST, "%s is the plan of another version of dtsbatch",
		             path);
	} else if (!read_members(s, a, o)) {
		rc = err_set(e, ERR_MANIFEST, "%s: the saved plan is incomplete", path);
	}
	if (rc)
		err_hint(e, "`dtsbatch plan --out FILE` makes a new one");
	buf_release(&b);
	return rc;
}

/* ---- taking its options --------------------------------------------------------- */

static int contradiction(const struct saved_plan *s, const struct options *o, struct err *e)
{
	const char *what = o->targets.n    ? "--target"
	                   : o->excludes.n ? "--exclude"
	                   : o->replaces.n ? "--replace"
	                   : o->prune      ? "--prune"
	                                   : NULL;

	if (o->args.n > 1 || o->files.n) {
		err_set(e, ERR_USAGE, "%s is a saved plan and stands alone", s->path);
		return err_hint(e, "the manifests it was made from stand in it");
	}
	if (what) {
		err_set(e, ERR_USAGE, "%s belongs to the plan, not to applying it", what);
		return err_hint(e, "dtsbatch plan %s ... --out %s", what, s->path);
	}
	if (s->simulated != o->simulate) {
		err_set(e, ERR_USAGE, "%s is the plan of %s", s->path,
		        s->simulated ? "a simulation" : "a real run, not of a simulation");
		return err_hint(e,
		                s->simulated ? "dtsbatch apply --simulate %s" : "dtsbatch apply %s",
		                s->path);
	}
	if (o->region && !text_eq(o->region, s->region))
		return err_set(e, ERR_USAGE, "%s was made for the region %s, not for %s", s->path,
		               s->region ? s->region : "of its manifests", o->region);
	return 0;
}

/* Values of --var are not kept, so they are given again; with other values the plan differs. */
static int check_vars(const struct saved_plan *s, const struct options *o, struct err *e)
{
	for (size_t i = 0; i < s->vars.n; i++) {
		size_t n = strlen(s->vars.v[i]);
		bool given = false;

		for (size_t k = 0; !given && k < o->vars.n; k++)
			given = !strncmp(o->vars.v[k], s->vars.v[i], n) && o->vars.v[k][n] == '=';
		if (!given) {
			err_set(e, ERR_USAGE, "%s was made with --var %s=...; it is needed again",
			        s->path, s->vars.v[i]);
			return err_hint(e, "values may be secret and are not kept in the file");
		}
	}
	if (o->vars.n > s->vars.n)
		return err_set(e, ERR_USAGE, "%s was made with %s --var", s->path,
		               s->vars.n ? "fewer" : "no");
	return 0;
}

int saved_plan_options(const struct saved_plan *s, struct arena *a, struct options *o,
                       struct err *e)
{
	if (contradiction(s, o, e) || check_vars(s, o, e))
		return -1;
	if (o->state && !text_eq(o->state, s->state) &&
	    !(o->simulate && text_eq(state_sim_path(a, o->state), state_sim_path(a, s->state))))
		return err_set(e, ERR_USAGE, "%s belongs to the state %s, not to %s", s->path,
		               s->state, o->state);
	o->args = s->manifests;
	o->targets = s->targets;
	o->excludes = s->excludes;
	o->replaces = s->replaces;
	o->prune = s->prune;
	o->state = s->state;
	o->region = s->region;
	if (!o->endpoint)
		o->endpoint = s->endpoint;
	return 0;
}

/* ---- is it still true? ------------------------------------------------------------ */

static int stale(const struct saved_plan *s, struct err *e)
{
	err_ctx(e, "the saved plan is stale");
	err_subject(e, s->path);
	return err_hint(e, "nothing was done; make it anew with `dtsbatch plan --out`, look at it, "
	                   "apply it");
}

/* NULL: the same as when the plan was made. */
static const char *state_change(const struct saved_plan *s, struct arena *a,
                                const struct plan_source *now)
{
	const struct state *st = now->state;

	if (!state_exists(st))
		return *s->lineage ? arena_printf(a, "the state %s is gone", now->l->state_path)
		                   : NULL;
	if (!*s->lineage)
		return arena_printf(a, "there was no state %s, now there is one",
		                    now->l->state_path);
	if (!text_eq(state_lineage(st), s->lineage))
		return arena_printf(a, "%s is the state of another lineage now",
		                    now->l->state_path);
	if (state_serial(st) != s->serial)
		return arena_printf(a, "state serial %" PRIu64 " is now %" PRIu64, s->serial,
		                    state_serial(st));
	return NULL;
}

int saved_plan_check_source(const struct saved_plan *s, struct arena *a,
                            const struct plan_source *now, struct err *e)
{
	const char *hash, *what = state_change(s, a, now);

	if (!what && hash_manifests(a, &now->l->b, &hash, e))
		return -1;
	if (!what && !text_eq(hash, s->hash))
		what = "the manifests have changed since";
	if (!what)
		return 0;
	err_set(e, ERR_DECISION, "%s", what);
	return stale(s, e);
}

static const char *action(const struct json *o)
{
	const char *s = json_str(o, "action");

	return s ? s : "no change";
}

/* One for each address, as far as they are few; in one line, for line ends in messages are escaped. */
struct differences {
	struct buf text;
	size_t n;
};

static void differ(struct differences *d, const char *address, const char *was, const char *is)
{
	if (d->n++ >= SHOWN_MAX)
		return;
	buf_printf(&d->text, "%s%s: ", d->n > 1 ? "; " : "", address ? address : "?");
	if (text_eq(was, is))
		buf_printf(&d->text, "%s, but not of the same things", was);
	else
		buf_printf(&d->text, "%s, now %s", was, is);
}

static void compare(struct arena *a, const struct json *was, const struct json *is,
                    struct differences *d)
{
	const struct json **old = arena_array(a, const struct json *, was->n + 1);
	bool *met = arena_array(a, bool, was->n + 1);
	struct map by_address;
	uint32_t n = 0;

	map_init(&by_address, a);
	for (const struct json *o = was->child; o; o = o->next) {
		old[n] = o;
		if (json_str(o, "address"))
			map_put(&by_address, json_str(o, "address"), n);
		n++;
	}
	for (const struct json *o = is->child; o; o = o->next) {
		const char *address = json_str(o, "address");
		uint32_t k = address ? map_get(&by_address, address) : MAP_NONE;

		if (k == MAP_NONE) {
			differ(d, address, "no change", action(o));
			continue;
		}
		met[k] = true;
		if (!json_equal(old[k], o))
			differ(d, address, action(old[k]), action(o));
	}
	for (uint32_t k = 0; k < n; k++)
		if (!met[k])
			differ(d, json_str(old[k], "address"), action(old[k]), "no change");
}

int saved_plan_check_changes(const struct saved_plan *s, struct arena *a, const struct plan *now,
                             struct err *e)
{
	struct differences d = {.n = 0};
	int rc = 0;

	buf_init(&d.text, 900);
	compare(a, s->changes, changes_json(a, now), &d);
	if (d.n > SHOWN_MAX)
		buf_printf(&d.text, "; and %zu more", d.n - SHOWN_MAX);
	if (d.n) {
		err_set(e, ERR_DECISION, "what would be done has changed since: %s",
		        buf_str(&d.text));
		rc = stale(s, e);
	}
	buf_release(&d.text);
	return rc;
}
