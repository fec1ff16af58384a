/*
 * The DTS wire: steps -> requests, answers -> values. Pure; driven by the api and type rows.
 */
#ifndef REMOTE_DTS_H
#define REMOTE_DTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/plan.h"
#include "remote/http.h"
#include "remote/retry.h"
#include "remote/sign.h"

/* A call, not yet signed. Pairs are in secret memory where they are secret. */
struct dts_call {
	enum api_action action;
	const char *region; /* whose host serves it; NULL: any */
	struct pair *query, *form;
	size_t nquery, nform, cap_query, cap_form;
	struct arena *a;
};

void dts_call_init(struct dts_call *c, struct arena *a, enum api_action action, const char *region);
/* Puts a parameter where the api row says (query or body), in place of an earlier one of that name; value NULL or "" is left
 * out. Texts are not copied. BUG when the action has no such parameter. */
void dts_param(struct dts_call *c, const char *name, const char *value);
void dts_param_list(struct dts_call *c, const char *name, const char *const *values, size_t n);

/* Facts an encoder needs beyond the plan's op. */
struct step_input {
	const struct batch *b;
	const struct op *op;
	const struct resource *want; /* NULL for deletes */
	const char *const *
		vals; /* wanted values by attribute index, ids resolved, plain text (secrets included); NULL: unset */
	const char *instance_id, *job_id; /* as known now */
	const char *region;
	bool reverse, two_way;
	const char *const *job_ids; /* batches */
	size_t njob_ids;
	const char *client_token;        /* ModifyDtsJob */
	const char *free_name;           /* configure-first: NAME~<intent id> */
	const char *tag_key, *tag_value; /* adoption tag */
};
/* The call of a step. */
void dts_encode(struct dts_call *out, struct arena *a, enum step s, const struct step_input *in);
/* One page of DTS_PAGE_ROWS rows, oldest first; the rest by dts_param (Status, Type and Params). */
#define DTS_PAGE_ROWS 100
void dts_encode_list(struct dts_call *out, struct arena *a, const char *region, unsigned page,
                     const char *instance_id, bool with_objects);
/* Single reads. job_id may be NULL in the first (then by instance and direction). */
void dts_encode_detail(struct dts_call *out, struct arena *a, const char *region,
                       const char *instance_id, const char *job_id, bool reverse);
void dts_encode_config(struct dts_call *out, struct arena *a, const char *region,
                       const char *job_id);
void dts_encode_precheck(struct dts_call *out, struct arena *a, const char *region,
                         const char *job_id);
void dts_encode_monitor(struct dts_call *out, struct arena *a, const char *region,
                        const char *job_id);
void dts_encode_tags(struct dts_call *out, struct arena *a, const char *region,
                     const char *const *instance_ids, size_t n, const char *next_token);
/* Writes that are no step: one tag of ours on an instance; removal of tags; items of a precheck to be skipped (JSON arrays are made here). */
void dts_encode_tag(struct dts_call *out, struct arena *a, const char *region,
                    const char *instance_id, const char *key, const char *value);
void dts_encode_untag(struct dts_call *out, struct arena *a, const char *region,
                      const char *instance_id, const char *const *keys, size_t n);
void dts_encode_skip(struct dts_call *out, struct arena *a, const char *region, const char *job_id,
                     const char *const *items, size_t n);

struct dts_reply {
	struct reply_facts facts;
	const struct json *root; /* NULL: not readable JSON */
	const char *code, *message,
		*request_id; /* of a failure; message with DynamicMessage put in and secrets masked */
	const char *instance_id, *job_id; /* CreateDtsInstance, ConfigureDtsJob */
	const char *raw; /* unreadable: content type and at most 80 printable characters */
};
/*
 * Decode any answer. One that contradicts itself (rows against the total, success without the id it promises) is "not
 * readable". Error texts in root are masked; other strings are as they came. Strings live in a, or are those of res (net_text).
 */
void dts_decode(struct dts_reply *out, struct arena *a, enum api_action action,
                const struct http_res *res);
/* DescribeDtsJobs: the rows; false when the page contradicts itself (dts-api.md 4; design.md 5). */
bool dts_page(const struct dts_reply *r, const struct json **rows, size_t *count, size_t *total);

struct precheck_item {
	const char *item, *state, *message, *repair;
	bool can_skip, never_skip; /* neither: the answer does not say */
};
/* Failed ones only; those of the parts of a distributed job, too, each item once. */
size_t dts_precheck_items(struct arena *a, const struct json *root, struct precheck_item **out);
const char *dts_precheck_explain(
	const char *item); /* our own explanation per item (dts-api.md 19), NULL: unknown */

/* region -> endpoint host (dts-api/endpoints.json). public host if vpc is false; NULL: region unknown. */
const char *dts_region_host(const char *region, bool vpc);
bool dts_region_known(const char *region);

#endif
