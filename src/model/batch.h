/*
 * Blocks -> settings, variables and resources bound to their schema, with
 * for_each expanded, defaults filled in, references turned into edges. All
 * mistakes of all files are collected. Pure: environment and files come
 * through struct inputs.
 */
#ifndef MODEL_BATCH_H
#define MODEL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/map.h"
#include "model/graph.h"
#include "model/manifest.h"
#include "model/schema.h"

struct arena;
struct buf;
struct err;

#define RES_NONE UINT32_MAX

/* Where ${env:}, ${file:}, ${cred:} and @file come from. */
struct inputs {
	void *ctx;
	const char *(*env)(void *ctx, const char *name); /* NULL: not set */
	/* path is as written; relative ones are relative to the manifest `file`. cred: look
	 * in the credential directory. */
	int (*read)(void *ctx, const char *file, const char *path, bool cred, struct buf *out,
	            struct err *e);
};

/* Where the characters of a normalized value came from: for positions in messages. */
struct value_source {
	const struct raw_key *key; /* NULL: from elsewhere (import, default) */
	const char *from_file;     /* @file: positions are line:col of that file */
	const char *text;          /* the file's text, to count lines */
	/* Texts inserted by interpolation shift offsets; a sorted list of (offset in result,
	 * offset in raw). */
	const uint32_t *shift;
	size_t nshift; /* pairs */
};
struct pos value_pos(const struct value_source *s, size_t off);

enum value_state {
	V_UNSET, /* absent or empty */
	V_SET,
	V_UNKNOWN, /* depends on an id that is known after apply */
	/* a secret that ${env:}, ${file:} or ${cred:} could not give: not compared; apply
	 * refuses */
	V_MISSING,
};

/* What a reference can ask of another resource beyond its manifest attributes. */
enum computed { COMP_ID, COMP_INSTANCE_ID, COMP_JOB_ID, COMP_STATUS };

struct part {
	const char *lit; /* literal text, or NULL for a reference */
	uint32_t target; /* resource index */
	enum computed what;
};

/* There is one for each attribute of each resource: small, and texts are shared between the
 * items of a section. */
struct value {
	const char *s; /* V_SET: wire form. Secrets stand in secret memory */
	/* V_UNKNOWN: put together when the ids are known. None: it was wrong, which is reported */
	const struct part *parts;
	/* V_MISSING: why, e.g. "environment variable SOURCE_PASSWORD is not set" */
	const char *missing;
	struct pos pos; /* of the value; V_MISSING: of the reference */
	enum value_state state;
	unsigned nparts : 31;
	bool secret : 1;  /* A_SECRET, or came from ${file:} or ${cred:} */
	bool made_up : 1; /* a secret key without its secret, under --simulate: not compared */
};

enum on_gone { GONE_RECREATE, GONE_FORGET, GONE_FAIL };

struct lifecycle {
	bool absent, protect, replace_allowed, endpoint_same_data, destroy_forgets;
	enum on_gone on_gone;
	const char *import_id; /* NULL: none */
	const char *was;       /* former address, NULL: none */
	struct attr_set ignore;
	const char *skip_precheck; /* comma list, NULL: none */
	int64_t timeout_create_ms, timeout_update_ms, timeout_delete_ms;
};

struct resource {
	const char *address; /* TYPE.NAME or TYPE.NAME["each"] */
	const struct type_def *type;
	const char *name, *each; /* each: NULL without for_each */
	const char *file;
	struct pos pos;
	const char *region; /* of the instance: destination region, region setting or key */
	struct value *vals; /* by attribute index */
	struct lifecycle life;
	uint32_t instance; /* job: the instance section dts_instance_id refers to, or RES_NONE */
	uint32_t *deps;    /* direct dependencies: resource indices, sorted, unique */
	size_t ndeps;
};

/* Settings of [dtsbatch]; table in batch_settings.c. Durations in ms; -1 / NULL: not set. */
struct settings {
	const char *region, *endpoint, *state, *adopt;
	int64_t parallelism, settle_ms, max_changes, max_deletes, max_gone, deadline_ms,
		lock_timeout_ms;
	int prune; /* -1 not set, 0, 1 */
};

struct batch {
	struct arena *a;
	struct settings set; /* from the manifest alone; the command line overrides later */
	const char *region;  /* effective: option > environment > manifest; may be NULL */
	struct resource *v;
	size_t n;
	struct map by_address; /* address -> index */
	struct graph graph;    /* edges: resource -> its dependencies */
	const char **files;
	size_t nfiles;
	bool missing_secrets;
};

struct batch_opts {
	const struct inputs *in;
	const char *const *vars; /* "k=v" of --var, n of them */
	size_t nvars;
	const char *region; /* --region or DTSBATCH_REGION, NULL: none */
	bool strict;        /* warnings about literal secrets become errors */
	bool simulate;      /* a missing secret gets a made-up value and a note */
};

/* Always leaves a walkable batch; d->errors says whether it may be used. */
void batch_build(struct batch *b, struct arena *a, const struct manifest *m,
                 const struct batch_opts *o, struct diag *d);

/* Text of a value given the ids known so far: lookup returns NULL for "not known yet". NULL when
 * unset, missing or unknown. */
typedef const char *(*id_lookup)(void *ctx, uint32_t resource, enum computed what);
const char *batch_text(struct arena *a, const struct value *v, id_lookup lookup, void *ctx);
/* Value text if V_SET, else NULL: for checks. */
const char *res_get(const struct resource *r, const char *key);
const struct value *res_val(const struct resource *r, const char *key);
/* Is it the section of the Reverse job of a pair? */
bool res_reverse(const struct resource *r);

enum meta_kind {
	META_TEXT,     /* const char * */
	META_BOOL,     /* true or false: bool */
	META_TRI,      /* true or false: int */
	META_FLAG,     /* one of two words: bool, true for the second */
	META_CHOICE,   /* one of several words: enum, number of the word */
	META_WORD,     /* one of several words: const char * */
	META_WORDS,    /* a comma list of some of several words: const char * */
	META_INT,      /* int64_t, at least 0 */
	META_DURATION, /* int64_t, ms */
	META_LIST,     /* a list with a meaning of its own */
};

/* One row per lifecycle key and setting: for validation, explain and help. */
struct meta_key {
	const char *key;
	const char *values; /* "a|b", or in words */
	const char *def, *doc;
	enum meta_kind kind;
	uint16_t at;   /* offset in struct lifecycle or struct settings; 0 in META_LIST rows */
	bool defaults; /* may stand in [defaults.TYPE] */
};
extern const struct meta_key lifecycle_keys[], setting_keys[]; /* end: key NULL */
/* Whether a lifecycle key with values "a|b" takes this one. */
bool lifecycle_takes(const char *key, const char *word);

#endif
