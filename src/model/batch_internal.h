/* Shared by the parts of the batch builder (batch*.c, template.c, expand.c); nobody else
 * includes it. */
#ifndef MODEL_BATCH_INTERNAL_H
#define MODEL_BATCH_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/batch.h"

/* What may stand in a value: literal text and `${...}` of several kinds. */
enum tpl_kind { TPL_LIT, TPL_EACH, TPL_REGION, TPL_VAR, TPL_ENV, TPL_FILE, TPL_CRED, TPL_REF };

#define TPL_BIT(k) (1u << (k))
/* In `has`: a reference to a manifest attribute, so dependency order matters. */
#define TPL_ATTR (1u << 8)
#define TPL_PLAIN (TPL_BIT(TPL_VAR) | TPL_BIT(TPL_REGION) | TPL_BIT(TPL_ENV))
#define TPL_SECRETS (TPL_BIT(TPL_FILE) | TPL_BIT(TPL_CRED))

#define COMP_NONE (-1)
#define LIFE_MAX 32 /* lifecycle keys */

struct tpl_part {
	enum tpl_kind kind;
	bool quoted;       /* JSON: stands inside a string */
	int comp;          /* TPL_REF: enum computed, or COMP_NONE: a manifest attribute */
	uint32_t off, len; /* in the raw text, "${" and "}" included */
	const char *s; /* literal text; name of variable or source; TPL_REF: name of the resource */
	size_t n;      /* of s */
	/* source: a name with references in it; TPL_REF: the item; NULL: none */
	const struct tpl *sub;
	const struct type_def *type; /* TPL_REF */
	const char *attr;            /* TPL_REF: word behind the last dot */
};

struct tpl {
	const struct raw_key *k;
	struct tpl_part *v;
	size_t n;
	unsigned has; /* TPL_BIT of every part, nested ones included */
};

/* A key that has been looked at once, however many resources use it. */
struct prep {
	const struct raw_key *k;         /* NULL: not given */
	const struct tpl *t;             /* NULL: plain text */
	bool bad;                        /* reported */
	bool cached;                     /* val holds for everybody */
	bool from_file;                  /* `@path` */
	unsigned char complaints, notes; /* said about it so far */
	struct prep *kept;               /* the copy that outlives the section */
	struct value val;
};

struct var {
	const char *name;
	const struct raw_key *k; /* NULL: from the command line */
	const struct tpl *t;
	const char *text; /* NULL: bad or missing */
	const char *missing;
	bool missing_env, secret, sourced, bad, used;
};

struct section {
	const struct block *blk;
	const struct type_def *type;
	const char *name, *base; /* NAME, TYPE.NAME */
	uint32_t first, count;   /* its resources */
	bool repeated;           /* for_each */
	const char **items;      /* count of them, if repeated */
	bool broken;             /* its list could not be read: what refers to it is not wrong */
};

/* Keys of [defaults.TYPE]. */
struct defaults {
	struct prep *attrs; /* by attribute */
	struct prep *life;  /* by row of lifecycle_keys */
};

struct ref_edge {
	uint32_t from, to;
	struct pos pos;
};

struct good {
	const char *text, *s; /* as written, as normalized */
};

/* A value that has to wait for values of other resources. */
struct pend {
	uint32_t res, attr, next; /* next of the same resource, or RES_NONE */
	struct prep *p;
	const char *region;
};

/* A ${file:} or ${cred:} that was read. */
struct source {
	const char *text;    /* in secret memory; NULL: missing or bad */
	const char *missing; /* why */
	bool bad;
};

/* What one expansion gave. Ids known after apply stand in text as marks (expand.c). */
struct result {
	struct buf text;
	VEC(uint32_t) shift; /* for struct value_source */
	VEC(struct part) ids;
	VEC(const char *) inserted; /* secret texts, as inserted */
	bool bad;                   /* reported */
	bool secret;                /* holds text from ${file:} or ${cred:} */
	bool sourced;               /* holds text from ${env:}, too: no literal secret */
	const char *missing;        /* a secret that could not be had */
	bool missing_env;           /* it is an environment variable, which need not be secret */
	bool made_up;               /* a missing secret was replaced, under --simulate */
	struct pos missing_pos;
};

/* Where an expansion happens. */
struct scope {
	const char *each;   /* NULL: no for_each */
	const char *region; /* meaning of ${region} */
	bool json;          /* references inside JSON strings are inserted escaped */
	bool may_miss;      /* a missing secret is no mistake here */
	bool secret;        /* the key is secret: so is what ${env:} gives */
	struct prep *p;     /* for counting complaints; NULL: none */
};

struct builder {
	struct batch *b;
	struct arena *a; /* of the batch */
	struct arena tmp, sec,
		norm; /* until the batch is built; until the next section; until the next value */
	const struct manifest *m;
	const struct batch_opts *o;
	struct diag *d;

	VEC(struct var) vars;            /* [0] is the region */
	struct map var_at;               /* name -> index */
	const struct raw_key **settings; /* by row of setting_keys */
	VEC(struct section) sections;
	size_t nlife;          /* lifecycle keys */
	struct map section_at; /* TYPE.NAME -> index */
	/* by type and attribute: the last plain text that passed without a word */
	struct good *good[8];
	struct defaults *defs; /* by index in types[] */
	VEC(struct ref_edge) edges;
	VEC(struct pend) pends;
	uint32_t *pend_at; /* by resource: first pend or RES_NONE */
	VEC(struct source) sources;
	struct map source_at; /* kind, file and path -> index */
	struct map unset;     /* environment variable that gives nothing -> index in why_unset */
	VEC(const char *) why_unset;
	VEC(const char *) base_names; /* of all sections, for suggestions; filled on demand */

	struct result res, sub; /* being expanded; nested names */
	struct buf esc, file;
};

/* template.c */
/* NULL: a mistake, reported. a: home of the template; allowed: mask of TPL_BIT; what: "a
 * setting", for messages. */
struct tpl *tpl_parse(struct builder *bd, struct arena *a, const struct raw_key *k,
                      unsigned allowed, const char *what);
/* References in JSON must stand inside strings (or be the whole value). Marks them; false:
 * reported. */
bool tpl_json(struct builder *bd, struct tpl *t);
struct pos tpl_pos(const struct tpl *t, const struct tpl_part *p);

/* expand.c */
/* Expands into bd->res. False: a mistake, reported or a consequence of one that is. */
bool expand(struct builder *bd, const struct tpl *t, const struct scope *sc);
/* Plain text of a key outside of attributes, or NULL (mistake or missing, reported). In the
 * batch's arena, or the key's own text. */
const char *expand_text(struct builder *bd, const struct raw_key *k, const struct tpl *t,
                        const struct scope *sc);
/* The same for a name or item inside a reference; in bd->tmp. */
const char *expand_sub(struct builder *bd, const struct tpl *sub, const struct scope *sc);
/* Where text shows up in messages, addresses and the state, a secret cannot be used. False: it
 * was, reported. */
bool no_secret(struct builder *bd, const struct result *r, const struct raw_key *k);
void note_made_up(struct builder *bd, struct prep *p, struct pos pos, const char *key,
                  const char *why);
void result_init(struct result *r);
/* Breaks text with marks into parts. */
const struct part *expand_parts(struct builder *bd, const struct result *r, const char *text,
                                unsigned *nparts);
#define EXPAND_MISSING "\x7fM\x7f" /* stands for a missing secret */

/* A path as written in manifest `file`, as it looks from where we run: for positions. */
const char *path_beside(struct builder *bd, const char *file, const char *path);

/* batch_vars.c: variables and the region, in the order they need each other */
void vars_build(struct builder *bd);
void vars_check_options(struct builder *bd); /* a --var that nothing uses */

/* batch.c: attr_of, quick for literal keys */
size_t attr_quick(const struct type_def *t, const char *key);

/* batch_settings.c */
bool meta_set(struct builder *bd, const struct meta_key *row, const struct raw_key *k,
              const char *text, void *base);
int meta_find(const struct meta_key *rows, const char *key); /* -1: none */
void settings_collect(struct builder *bd, const struct block *blk);
void settings_apply(struct builder *bd);
/* The checks every value has: quotes, comments, unreadable. False: reported. */
bool key_plain(struct builder *bd, const struct raw_key *k, bool warn_comment);
void diag_twice(struct builder *bd, const struct raw_key *k, struct pos first);

/* batch_sections.c: headers, for_each, addresses, defaults */
void sections_collect(struct builder *bd);
const char *nearest_of(struct builder *bd, const char *word, const char *const *names, size_t n);
void unknown_key(struct builder *bd, const struct type_def *t, const struct raw_key *k,
                 struct prep *slots);
size_t type_index(const struct type_def *t);

/* batch_each.c: items of for_each; NULL and 0 when reported, or when there are none */
const char **each_items(struct builder *bd, const struct raw_key *k, uint32_t *n);

/* batch_bind.c */
/* a: home of its template */
void prep_attr(struct builder *bd, struct arena *a, const struct attr_def *at, struct prep *p,
               unsigned allowed);
void bind_sections(struct builder *bd);
/* same: every user of this key gets the same value. */
void bind_cached(struct builder *bd, const struct attr_def *at, struct prep *p,
                 const struct scope *sc, bool same, struct value *out);
bool is_json(const struct attr_def *at, const struct raw_key *k);

/* batch_life.c */
void life_bind(struct builder *bd, const struct section *s, struct prep *const *life);
void life_check(struct builder *bd); /* what concerns several resources */

/* batch_refs.c */
uint32_t ref_target(struct builder *bd, const struct tpl *t, const struct tpl_part *p,
                    const struct scope *sc);
/* Resources an address names, as [first, first + n): one, or all items of a repeated section.
 * False: reported. */
bool address_range(struct builder *bd, const char *address, struct pos pos, uint32_t *first,
                   uint32_t *n);
void add_edge(struct builder *bd, uint32_t from, uint32_t to, struct pos pos);
void refs_finish(struct builder *bd); /* graph, cycles, values that waited */

#endif
