#include "cli/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sys.h"
#include "base/text.h"
#include "cli/ui.h"
#include "store/state.h"

const char *os_env(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

/* ---- inputs of the manifest ------------------------------------------------ */

static int os_read(void *ctx, const char *file, const char *path, bool cred, struct buf *out,
                   struct err *e)
{
	struct arena a;
	const char *dir = getenv("CREDENTIALS_DIRECTORY"), *slash = strrchr(file, '/'),
		   *full = path;
	int rc = 0;

	(void)ctx;
	arena_init(&a);
	if (cred && text_empty(dir))
		rc = err_set(e, ERR_MANIFEST, "CREDENTIALS_DIRECTORY is not set");
	else if (cred)
		full = arena_printf(&a, "%s/%s", dir, path);
	else if (path[0] != '/' && slash)
		full = arena_printf(&a, "%.*s/%s", (int)(slash - file), file, path);
	if (rc == 0 && sys_read_file(full, out))
		rc = err_set(e, ERR_MANIFEST, "cannot read %s: %s", full, strerror(errno));
	arena_release(&a);
	return rc;
}

/* ---- which files ------------------------------------------------------------ */

struct file_list {
	const char **v;
	size_t n, cap;
};

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int add_directory(struct file_list *f, struct arena *a, const char *dir, struct err *e)
{
	DIR *d = opendir(dir);
	struct dirent *ent;
	size_t first = f->n;

	if (!d)
		return err_set(e, ERR_MANIFEST, "cannot read the directory %s: %s", dir,
		               strerror(errno));
	while ((ent = readdir(d)))
		if (text_ends(ent->d_name, ".ini") && ent->d_name[0] != '.')
			*VEC_PUSH(a, f) =
				text_eq(dir, ".")
					? arena_strdup(a, ent->d_name)
					: arena_printf(a, "%s%s%s", dir,
			                               text_ends(dir, "/") ? "" : "/", ent->d_name);
	closedir(d);
	if (f->n == first) {
		err_set(e, ERR_MANIFEST, "no *.ini in the directory %s", dir);
		return err_hint(e, "name a manifest, or a directory that holds some");
	}
	qsort(f->v + first, f->n - first, sizeof *f->v, by_name);
	return 0;
}

static int find_files(struct file_list *f, struct arena *a, const struct opt_list *args,
                      struct err *e)
{
	for (size_t i = 0; i < args->n; i++) {
		struct stat st;

		if (stat(args->v[i], &st)) {
			err_set(e, ERR_MANIFEST, "cannot read %s: %s", args->v[i], strerror(errno));
			return -1;
		}
		if (!S_ISDIR(st.st_mode))
			*VEC_PUSH(a, f) = args->v[i];
		else if (add_directory(f, a, args->v[i], e))
			return -1;
	}
	return 0;
}

int load_exists(const struct options *o, struct err *e)
{
	const struct opt_list *lists[] = {&o->args, &o->files};
	struct stat st;

	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < lists[k]->n; i++)
			if (stat(lists[k]->v[i], &st))
				return err_set(e, ERR_MANIFEST, "cannot read %s: %s",
				               lists[k]->v[i], strerror(errno));
	return 0;
}

static void manifest_args(struct opt_list *all, struct arena *a, const struct options *o,
                          bool with_args)
{
	*all = (struct opt_list){0};
	for (size_t i = 0; with_args && i < o->args.n; i++)
		*VEC_PUSH(a, all) = o->args.v[i];
	for (size_t i = 0; i < o->files.n; i++)
		*VEC_PUSH(a, all) = o->files.v[i];
	if (all->n == 0)
		*VEC_PUSH(a, all) = ".";
}

/* As a shell takes it. */
static const char *shell_word(struct arena *a, const char *s)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:=@%,";
	char *out, *p;

	if (*s && s[strspn(s, plain)] == 0)
		return s;
	out = p = arena_alloc(a, 4 * strlen(s) + 3);
	*p++ = '\'';
	for (; *s; s++) {
		if (*s == '\'') {
			memcpy(p, "'\\'", 3);
			p += 3;
		}
		*p++ = *s;
	}
	*p++ = '\'';
	*p = 0;
	return out;
}

const char *load_words(struct arena *a, const struct options *o)
{
	const char *s = o->simulate ? " --simulate" : "";

	if (o->state)
		s = arena_printf(a, "%s --state %s", s, shell_word(a, o->state));
	for (size_t i = 0; i < o->args.n; i++)
		s = arena_printf(a, "%s %s", s, shell_word(a, o->args.v[i]));
	for (size_t i = 0; i < o->files.n; i++)
		s = arena_printf(a, "%s -f %s", s, shell_word(a, o->files.v[i]));
	return s;
}

/* ---- the state's name ----------------------------------------------------------- */

static int state_name(struct loaded *l, const struct options *o, const struct opt_list *args,
                      const char *setting, struct err *e)
{
	struct arena *a = l->a;
	const char *path = o->state ? o->state : setting;
	struct stat st;

	if (!path && args->n != 1) {
		err_set(e, ERR_USAGE, "several manifests need one state file");
		return err_hint(
			e,
			"name it: --state F.state.json, or `state = F.state.json` in [dtsbatch]");
	}
	if (!path) {
		const char *m = args->v[0];

		if (stat(m, &st) == 0 && S_ISDIR(st.st_mode))
			path = text_eq(m, ".") ? "dtsbatch.state.json"
			                       : arena_printf(a, "%s%sdtsbatch.state.json", m,
			                                      text_ends(m, "/") ? "" : "/");
		else if (text_ends(m, ".ini"))
			path = arena_printf(a, "%.*s.state.json", (int)strlen(m) - 4, m);
		else
			path = arena_printf(a, "%s.state.json", m);
	}
	if (!text_ends(path, ".state.json")) {
		err_set(e, ERR_USAGE, "the state file must be named X.state.json, not %s", path);
		return -1;
	}
	l->named_state = path;
	l->state_path = o->simulate ? state_sim_path(a, path) : path;
	return 0;
}

/* ---- loading ---------------------------------------------------------------------- */

static int read_one(struct loaded *l, const char *file, struct err *e)
{
	struct buf b;
	int rc = 0;

	buf_init(&b, MANIFEST_FILE_MAX + 1);
	if (sys_read_file(file, &b))
		rc = err_set(e, ERR_MANIFEST, "cannot read %s: %s", file,
		             errno == EFBIG ? "more than 64 MiB" : strerror(errno));
	else
		manifest_parse(&l->m, arena_strdup(l->a, file), buf_str(&b), b.n, &l->d);
	buf_release(&b);
	return rc;
}

static void check_vars(struct loaded *l, const struct options *o)
{
	for (size_t i = 0; i < o->vars.n; i++)
		if (!strchr(o->vars.v[i], '='))
			diag_error(&l->d, (struct pos){0}, "--var name=value",
			           "--var %s has no value", o->vars.v[i]);
}

int load_batch(struct loaded *l, struct arena *a, const struct options *o, bool want_state,
               struct ui *ui, struct err *e)
{
	struct opt_list args;
	struct file_list files = {0};
	struct inputs in = {.env = os_env, .read = os_read};
	struct batch_opts bo = {.in = &in,
	                        .vars = o->vars.v,
	                        .nvars = o->vars.n,
	                        .region = o->region,
	                        .strict = o->strict,
	                        .simulate = o->simulate};

	*l = (struct loaded){.a = a};
	manifest_args(&args, a, o, true);
	l->title = args.n == 1 ? args.v[0] : arena_printf(a, "%zu manifests", args.n);
	if (find_files(&files, a, &args, e))
		return -1;
	manifest_init(&l->m, a);
	diag_init(&l->d, a);
	for (size_t i = 0; i < files.n; i++)
		if (read_one(l, files.v[i], e))
			return -1;
	check_vars(l, o);
	batch_build(&l->b, a, &l->m, &bo, &l->d);
	ui_diag(ui, &l->d);
	if (l->d.errors) {
		err_set(e, ERR_MANIFEST, "%s", "");
		return -1;
	}
	return want_state ? state_name(l, o, &args, l->b.set.state, e) : 0;
}

int load_state_path(struct loaded *l, struct arena *a, const struct options *o, struct err *e)
{
	struct opt_list args;

	*l = (struct loaded){.a = a};
	manifest_args(&args, a, o, false);
	return state_name(l, o, &args, NULL, e);
}
