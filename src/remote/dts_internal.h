/* Shared by dts.c, dts_encode.c and dts_decode.c; nobody else includes it. */
#ifndef REMOTE_DTS_INTERNAL_H
#define REMOTE_DTS_INTERNAL_H

#include "remote/dts.h"

/* As dts_param, but an empty value is sent, too. */
void dts_put(struct dts_call *c, const char *name, const char *value);
void dts_tag_init(struct dts_call *out, struct arena *a, const char *region,
                  const char *instance_id);
void dts_tag_add(struct dts_call *out, size_t nth, const char *key, const char *value);
/* Why the rows of a list page contradict its counts; NULL: they do not. */
const char *dts_page_flaw(struct arena *a, const struct json *root);

#endif
