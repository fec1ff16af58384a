/*
 * The row engine: one row per attribute. From the row come acceptance,
 * default, range check, message, plan verdict (how it changes), wire
 * encoding, read-back, masking, `explain` and the README table. A new
 * attribute is one row in types/; a new resource type is one file there.
 */
#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/api.h"

struct arena;
struct buf;
struct diag;
struct json;
struct resource;
struct batch;

enum attr_kind {
	AK_STR,
	AK_BOOL,
	AK_INT, /* whole decimal number, kept as text */
	AK_ENUM, /* values; an unknown one is a warning (the service's lists grow faster than ours) */
	AK_OBJECT, /* JSON object */
	AK_LIST,   /* JSON array */
	AK_PHONES, /* comma list of mainland numbers; wire form: no blanks */
	AK_TAGS,   /* k=v, k=v; wire form: a JSON object sorted by key, so that any value fits */
};

/* How a change reaches the service. */
enum route {
	ROUTE_REPLACE,  /* only a replacement can change it */
	ROUTE_NONE,     /* create-time only, a change has no effect and is reported as such */
	ROUTE_NAME,     /* ModifyDtsJobName */
	ROUTE_PASSWORD, /* ModifyDtsJobPassword, end src or dest by the key's prefix */
	ROUTE_OBJECTS,  /* ModifyDtsJob(DbList) */
	ROUTE_RESERVED, /* ModifyDtsJob(UPDATE_RESERVED) */
	ROUTE_PARAMS,   /* ModifyDtsJobConfig */
	ROUTE_CLASS,    /* TransferInstanceClass, upwards only */
	ROUTE_STATUS,   /* StartDtsJob(s), SuspendDtsJob(s) */
	ROUTE_DELAY,    /* CreateJobMonitorRule(Type=delay) */
	ROUTE_ERROR,    /* CreateJobMonitorRule(Type=error) */
	ROUTE_ENDPOINT, /* ModifyDtsJobEndpoint after endpoint_change = same-data, else replacement */
	ROUTE_PAYTYPE, /* TransferPayType */
	ROUTE_TWOWAY,  /* UpgradeTwoWay (oneway -> bidirectional only) */
	ROUTE_CLUSTER, /* ModifyDtsJobDedicatedCluster */
	ROUTE_GROUP,   /* ConvertInstanceResourceGroup */
	ROUTE_TAGS,    /* TagResources, UntagResources */
	ROUTE__COUNT
};

/* Impact of a change (design.md 4), bits. */
enum {
	IMPACT_ONLINE = 1,
	IMPACT_PAUSE = 2,
	IMPACT_RESYNC = 4,
	IMPACT_OFFSET = 8, /* resume-at-offset */
	IMPACT_REPLACE = 16,
	IMPACT_PAYS = 32,
	IMPACT_STOPS_PAYING = 64,
};

/* Attribute flags. */
enum {
	A_REQUIRED = 1,
	A_SECRET = 2,
	A_NOREAD = 4, /* the service never returns it: compared with the record, `not verifiable` */
	A_NOCASE = 8, /* compared without case */
	A_ENGINE =
		16, /* compared as an engine name: spellings of purchase and configuration are one (dts-api.md 18) */
	A_ALWAYS = 32,     /* always sent, also when false (the three initialization flags) */
	A_PURCHASE = 64,   /* in a job: only for configure-first (no dts_instance_id) */
	A_ID = 128,        /* an id: never continued over lines, may be known after apply only */
	A_SOURCE = 256,    /* belongs to the source endpoint */
	A_DEST = 512,      /* belongs to the destination endpoint */
	A_COMPUTED = 1024, /* the service chooses when absent */
	A_MERGE =
		2048, /* JSON: only what the manifest says must hold, keys the service added are ignored */
	A_SEED = 4096, /* stands in the reference document (counted by the argument walk) */
	A_EXACT =
		16384, /* with A_ENGINE: engines that only the purchase does not tell apart are different ones here */
	A_CLOSED =
		8192, /* AK_ENUM: the tool itself acts on the value, so an unknown one is an error */
	A_FREE =
		32768, /* configuring carries it before the purchase only; on a bought instance its route does, afterwards */
};

struct attr_def;
struct value_source;
/* What a row cannot say about a value: runs after the checks of the kind on their result; NULL when wrong. */
typedef const char *(*attr_refine)(struct arena *a, const struct attr_def *at, const char *text,
                                   const struct value_source *src, struct diag *d);

enum read_from { READ_NEVER, READ_LIST, READ_DETAIL, READ_MONITOR, READ_CONFIG, READ_TAGS };

struct attr_def {
	const char *key;        /* Terraform argument name */
	const char *param;      /* parameter of the creating action, or NULL */
	enum api_action create; /* the action that carries it at creation, or API_NONE */
	enum route route;
	enum attr_kind kind;
	unsigned flags;
	const char *values; /* AK_ENUM: "a|b|c"; else NULL */
	int64_t min, max;   /* AK_INT: range; AK_STR: length in bytes; 0,0: unbounded */
	enum read_from from;
	const char *read;   /* dotted path in the answer row, or NULL */
	const char *def;    /* value of the service when absent, for explain; NULL: none */
	const char *doc;    /* one or two sentences */
	const char *when;   /* condition in words ("required when delay_notice = true"), or NULL */
	attr_refine refine; /* NULL: none */
};

#define ATTR_MAX 96 /* attributes per type at most */

/* A set of attributes of one type. */
struct attr_set {
	uint64_t w[(ATTR_MAX + 63) / 64];
};
static inline bool attr_in(const struct attr_set *s, size_t i)
{
	return (s->w[i / 64] >> (i % 64)) & 1;
}
static inline void attr_del(struct attr_set *s, size_t i)
{
	s->w[i / 64] &= ~((uint64_t)1 << (i % 64));
}
static inline void attr_add(struct attr_set *s, size_t i)
{
	s->w[i / 64] |= (uint64_t)1 << (i % 64);
}

struct type_def {
	const char *name;  /* "synchronization_job" */
	const char *label; /* "job": for people */
	const char *doc;
	const struct attr_def *attrs; /* sorted by key */
	size_t nattrs;
	/* Conditions of dts-api.md 11.1 that rows cannot say. Reports to d; values that are unknown or missing secrets are skipped. */
	void (*check)(const struct batch *b, const struct resource *r, struct diag *d);
};

extern const struct type_def type_instance, type_job; /* types/instance.c, types/job.c */
extern const struct type_def *const types[];          /* NULL-terminated */

const struct type_def *type_find(const char *name);
int attr_find(const struct type_def *t, const char *key); /* index or -1 */
/* Index of a key that must exist (our own code names it): BUG if not. */
size_t attr_of(const struct type_def *t, const char *key);

/* Tables check themselves: sorted, unique, parameters exist in the api catalogue, docs not empty. Returns NULL or what is
 * wrong, in storage that lives until the next call. */
const char *schema_check(void);

/* For explain and the README: "whole number, 1 to 65535", "true or false", "micro, small, ... ". */
char *attr_kind_text(struct arena *a, const struct attr_def *at);
/* "in place (ModifyDtsJobName)", "only by replacement", ... */
const char *route_text(enum route r);
/* Markdown table of all rows. */
char *schema_markdown(struct arena *a, const struct type_def *t);

/*
 * Check one value against its row and bring it to its wire form (booleans, phones without blanks, JSON compacted, `state` removed from db_list).
 * text: n bytes, not empty. Reports mistakes to d through pos_at(ctx, offset). NULL when wrong.
 */
const char *schema_normalize(struct arena *a, const struct attr_def *at, const char *text, size_t n,
                             const struct value_source *src, struct diag *d);
/* Offset of ` ;` or ` #` in a one-line value, i.e. of what looks like an inline comment, or SIZE_MAX. */
size_t schema_inline_comment(const char *text, size_t n);
/* A value in double quotes whose text is JSON (pasted from Terraform): that JSON, else NULL. */
const char *schema_unquote_json(struct arena *a, const char *text, size_t n);

/*
 * Does the observed value satisfy the wanted one (both wire form; wanted not NULL)? Comparison rules of design.md 4:
 * db_list exactly, reserve one way (A_MERGE), parameters free of order, engines by family, case by A_NOCASE.
 */
bool attr_satisfied(const struct attr_def *at, const char *wanted, const char *seen);
/*
 * The other half of it for JSON objects: of the secret members that no answer shows, does the record have the same
 * fingerprints? marked: the wanted value with fingerprints (attr_redact); recorded, seen: NULL when there is none. What cannot
 * be told, for want of a key, agrees.
 */
bool attr_secrets_held(const char *marked, const char *recorded, const char *seen);
/*
 * Observed value in wire form (PostPaid -> PayAsYouGo, SslSolutionEnum -> 0|1|3 ...) or NULL when the row lacks it. row: the
 * DescribeDtsJobs element, or the whole answer of the call that attr_def.from names. For READ_MONITOR `read` is
 * "TYPE.FIELD" of the rule of that type; for READ_CONFIG all parameters are read with their running values.
 */
const char *attr_read(struct arena *a, const struct attr_def *at, const struct json *row);
/* Wire form of a create parameter (PayAsYouGo -> PostPaid ...): what is sent for the value. */
const char *attr_wire(struct arena *a, const struct attr_def *at, const char *value);
/* A JSON value with the values of secret members (password, certificate, private key) replaced by mark(ctx, text). */
const char *attr_redact(struct arena *a, const struct attr_def *at, const char *value,
                        const char *(*mark)(void *ctx, struct arena *a, const char *text),
                        void *ctx);
/* For people: what differs between two JSON values, at most max lines ("+ shop.orders", "- crm", "~ shop.t: filter"). */
char *attr_json_diff(struct arena *a, const struct attr_def *at, const char *from, const char *to,
                     size_t max);

/* Is this member of a JSON value one whose text must be hidden (passwords, certificates, private keys)? */
bool attr_secret_member(const char *key);

/* The one name of a place that has two (dts-api.md 2). */
const char *region_name(const char *region);
/* Rank of an instance class (micro < small < ... < 8xlarge); -1 unknown. */
int class_rank(const char *cls);
bool instance_type_is_cloud(
	const char *type); /* RDS, PolarDB, ...: instance id and region needed */
bool instance_type_is_selfmanaged(const char *type); /* OTHER, ECS, EXPRESS, DG, CEN */
bool engine_equal(const char *a,
                  const char *b); /* two spellings of one product; MARIADB is not MYSQL */
bool engine_same(
	const char *a,
	const char *b); /* by family: DRDS = POLARDBX10 = POLARDBX20, Greenplum = GREENPLUM ... */

#endif
