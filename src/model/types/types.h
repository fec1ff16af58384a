/* Hooks of rows (attr_def.refine) and checks of types; for the tables in this directory alone. */
#ifndef MODEL_TYPES_TYPES_H
#define MODEL_TYPES_TYPES_H

#include "model/schema.h"

#define REFINE(name)                                                                               \
	const char *name(struct arena *a, const struct attr_def *at, const char *text,             \
	                 const struct value_source *src, struct diag *d)

/* refine_text.c */
REFINE(refine_role);       /* a bare RAM role name, no ARN */
REFINE(refine_account);    /* digits; stays text */
REFINE(refine_checkpoint); /* seconds, not milliseconds */
REFINE(refine_threshold);  /* advised to be 10 s or more */
/* refine_json.c */
REFINE(refine_db_list);
REFINE(refine_reserve);
REFINE(refine_parameters);

/* check_instance.c, check_job.c: dts-api.md 11.1 */
void check_instance(const struct batch *b, const struct resource *r, struct diag *d);
void check_job(const struct batch *b, const struct resource *r, struct diag *d);

/* Values that both types share. */
#define CLASS_VALUES "micro|small|medium|large|xlarge|2xlarge|4xlarge|6xlarge|8xlarge|xxlarge"
#define PAY_VALUES "PayAsYouGo|Subscription"
#define TAGS_MAX 20

#endif
