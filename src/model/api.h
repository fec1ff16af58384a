/*
 * Catalogue of the service actions we use: one row per action with its
 * parameters (name, type, position, required). Where a parameter sits is a
 * fact of the action, so it stands here once and nowhere else. A test
 * compares the rows with the published metadata (tests/vectors/operations).
 */
#ifndef MODEL_API_H
#define MODEL_API_H

#include <stdbool.h>
#include <stddef.h>

enum api_action {
	API_NONE,
	API_CREATE_DTS_INSTANCE,
	API_CONFIGURE_DTS_JOB,
	API_START_DTS_JOB,
	API_START_DTS_JOBS,
	API_SUSPEND_DTS_JOB,
	API_SUSPEND_DTS_JOBS,
	API_RESET_DTS_JOB,
	API_DELETE_DTS_JOB,
	API_DELETE_DTS_JOBS,
	API_MODIFY_DTS_JOB,
	API_MODIFY_DTS_JOB_NAME,
	API_MODIFY_DTS_JOB_PASSWORD,
	API_MODIFY_DTS_JOB_ENDPOINT,
	API_MODIFY_DTS_JOB_CONFIG,
	API_MODIFY_DTS_JOB_DEDICATED_CLUSTER,
	API_TRANSFER_INSTANCE_CLASS,
	API_TRANSFER_PAY_TYPE,
	API_UPGRADE_TWO_WAY,
	API_CONVERT_RESOURCE_GROUP,
	API_CREATE_JOB_MONITOR_RULE,
	API_SKIP_PRE_CHECK,
	API_TAG_RESOURCES,
	API_UNTAG_RESOURCES,
	/* reads */
	API_DESCRIBE_DTS_JOBS,
	API_DESCRIBE_DTS_JOB_DETAIL,
	API_DESCRIBE_DTS_JOB_CONFIG,
	API_DESCRIBE_PRE_CHECK_STATUS,
	API_DESCRIBE_JOB_MONITOR_RULE,
	API_LIST_TAG_RESOURCES,
	API__COUNT
};

enum api_repeat {
	REPEAT_READ, /* no effect: resend at will */
	REPEAT_SAFE, /* an effect that a second call does not change (dts-api.md 9) */
	REPEAT_LOOK, /* read the state first, resend only if the effect is still missing */
	REPEAT_NEVER, /* buys or restarts something: never resent; a lost answer is settled by looking */
};

enum api_rate { RATE_LIST, RATE_DETAIL, RATE_READ, RATE_WRITE, RATE__COUNT };

struct api_param {
	const char *name; /* repeat lists without ".N"; members of their elements as "Tag.Key" */
	char type;        /* 'S' string, 'B' boolean, 'I' integer, 'D' decimal, 'L' repeat list */
	bool body;        /* form body, else query */
	bool required;    /* by the published metadata: a call without it is refused */
	bool advised; /* required, or called so by the SDK model or the help page (dts-api.md 4): send it if you can */
};

struct api_def {
	const char *name;
	const struct api_param *params;
	size_t nparams;
	enum api_repeat repeat;
	enum api_rate rate;
	bool fresh; /* over a fresh connection: libcurl must not resend it by itself (design.md 5) */
	int timeout_ms;
};

const struct api_def *api_def(enum api_action a);
/* NULL if the action has none of that name. Indices are skipped: "ResourceId.2" is ResourceId, "Tag.1.Key" is Tag.Key. */
const struct api_param *api_param(enum api_action a, const char *name);
enum api_action api_find(const char *name); /* "DescribeDtsJobs"; API_NONE if unknown */

#endif
