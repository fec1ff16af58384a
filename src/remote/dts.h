/*
 * The DTS wire: steps -> requests, answers -> values. Pure; driven by the api and type rows.
 */
#ifndef REMOTE_DTS_H
#define REMOTE_DTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/plan.h"
#include "remote/retry.h"
#include "remote/sign.h"

/* A call, not yet signed. Pairs are in secret memory where they are secret. */
struct dts_call {
	enum api_action action;
	struct pair *query, *form;
	size_t nquery, nform, cap_query, cap_form;
	struct arena *a;
};

void dts_call_init(struct dts_call *c, struct arena *a, enum api_action action, const char *region);
/* Puts a parameter where the api row says (query or body); value NULL or "" is left out. BUG when the action has no such parameter. */
void dts_param(struct dts_call *c, const char *name, const char *value);
void dts_param_list(struct dts_call *c, const char *name, const char *const *values, size_t n);

/* Facts an encoder needs beyond the plan's op. */
struct step_input {
	const struct batch *b;
	const struct op *op;
	const struct resource *want; /* NULL for deletes */
	const char *const *vals;     /* wanted values by attribute index, ids resolved, plain text (secrets included); NULL: unset */
	const char *instance_id, *job_id; /* as known now */
	const char *region;
	bool reverse, two_way;
	const char *const *job_ids;  /* batches */
	size_t njob_ids;
	const char *client_token;    /* ModifyDtsJob */
	const char *free_name;       /* configure-first: NAME~<intent id> */
	const char *tag_key, *tag_value; /* adoption tag */
};
/* The call of a step. */
void dts_encode(struct dts_call *out, struct arena *a, enum step s, const struct step_input *in);
void dts_encode_list(struct dts_call *out, struct arena *a, const char *region, unsigned page, const char *instance_id, bool with_objects);

struct dts_reply {
	struct reply_facts facts;
	const struct json *root;  /* NULL: not readable JSON */
	const char *code, *message, *request_id; /* of a failure; message with DynamicMessage put in and secrets masked */
	const char *instance_id, *job_id;        /* CreateDtsInstance, ConfigureDtsJob */
	const char *raw;          /* unreadable: content type and at most 80 printable characters */
};
/* Decode any answer. An answer that contradicts itself is "not readable". */
void dts_decode(struct dts_reply *out, struct arena *a, enum api_action action, const struct http_res *res);
/* DescribeDtsJobs: the rows; false when the page contradicts itself (dts-api.md 4; design.md 5). */
bool dts_page(const struct dts_reply *r, const struct json **rows, size_t *count, size_t *total);

struct precheck_item {
	const char *item, *state, *message, *repair;
	bool can_skip;
};
size_t dts_precheck_items(struct arena *a, const struct json *root, struct precheck_item **out); /* failed ones only */
const char *dts_precheck_explain(const char *item); /* our own explanation per item (dts-api.md 19), NULL: unknown */

/* region -> endpoint host (dts-api/endpoints.json). public host if vpc is false; NULL: region unknown. */
const char *dts_region_host(const char *region, bool vpc);
bool dts_region_known(const char *region);

#endif
