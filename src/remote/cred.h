/*
 * Credentials: a table of providers asked in order (alibaba-auth.md 6). In this version: the environment. Key bytes
 * live in secret memory.
 */
#ifndef REMOTE_CRED_H
#define REMOTE_CRED_H

#include "remote/sign.h"

struct err;

/* env(ctx, name) as getenv. A half-set group is an error that names the missing variable; Terraform's ALICLOUD_* names are
 * hinted at, not read. ERR_DENIED on failure. */
int cred_load(struct credential *out, const char *(*env)(void *ctx, const char *name), void *ctx,
              struct err *e);

#endif
