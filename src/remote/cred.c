#include "remote/cred.h"

#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/text.h"

#define ID "ALIBABA_CLOUD_ACCESS_KEY_ID"
#define SECRET "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
#define TOKEN "ALIBABA_CLOUD_SECURITY_TOKEN"

struct source {
	const char *(*env)(void *ctx, const char *name);
	void *ctx;
};

enum found {
	FOUND,
	ABSENT, /* not configured: the next one is asked */
	BROKEN, /* configured, but not usable: an error, or somebody else's key would be used silently */
};

struct provider {
	const char *name; /* as in x-acs-credentials-provider */
	enum found (*load)(struct credential *out, const struct source *s, struct err *e);
};

static const char *get(const struct source *s, const char *name)
{
	const char *v = s->env ? s->env(s->ctx, name) : NULL;

	return text_empty(v) ? NULL : v;
}

static enum found env_load(struct credential *out, const struct source *s, struct err *e)
{
	const char *id = get(s, ID), *secret = get(s, SECRET), *token = get(s, TOKEN);
	const char *missing = id ? SECRET : ID;

	if (!id && !secret && !token)
		return ABSENT;
	if (!id || !secret) {
		err_set(e, ERR_DENIED, "%s is not set, although %s is", missing,
		        id       ? ID
		        : secret ? SECRET
		                 : TOKEN);
		err_hint(e, "set both " ID " and " SECRET " (for temporary keys " TOKEN
		            ", too), or none");
		return BROKEN;
	}
	if (strpbrk(id, " \t\r\n") || strpbrk(secret, " \t\r\n")) {
		err_set(e, ERR_DENIED, "%s contains a blank or a line end",
		        strpbrk(id, " \t\r\n") ? ID : SECRET);
		err_hint(e, "copy the key again, without blanks around it");
		return BROKEN;
	}
	if (!token && text_starts(id, "STS.")) {
		err_set(e, ERR_DENIED, "%s is a temporary key (STS.), but %s is not set", ID,
		        TOKEN);
		return BROKEN;
	}
	out->id = secret_dup(id, strlen(id));
	out->secret = secret_dup(secret, strlen(secret));
	out->token = token ? secret_dup(token, strlen(token)) : NULL;
	out->expires_s = -1; /* the environment does not tell; the service will */
	return FOUND;
}

/* In the order in which they are asked (alibaba-auth.md 6.1). A new provider is a row. */
static const struct provider providers[] = {
	{"default/env", env_load},
};

/* The names Terraform and old tools use: told, not read (design.md 7). */
static const char *foreign_name(const struct source *s)
{
	static const char *const names[] = {
		"ALICLOUD_ACCESS_KEY",        "ALICLOUD_ACCESS_KEY_ID",
		"ALICLOUD_SECRET_KEY",        "ALICLOUD_ACCESS_KEY_SECRET",
		"ALIBABACLOUD_ACCESS_KEY_ID", "ALIBABACLOUD_ACCESS_KEY_SECRET",
		"ALIYUN_ACCESS_KEY_ID",       "ALICLOUD_SECURITY_TOKEN"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (get(s, names[i]))
			return names[i];
	return NULL;
}

int cred_load(struct credential *out, const char *(*env)(void *ctx, const char *name), void *ctx,
              struct err *e)
{
	struct source s = {env, ctx};
	const char *foreign;

	for (size_t i = 0; i < sizeof providers / sizeof providers[0]; i++) {
		struct credential c = {.provider = providers[i].name};
		enum found f = providers[i].load(&c, &s, e);

		if (f == BROKEN)
			return -1;
		if (f == FOUND) {
			*out = c;
			return 0;
		}
	}
	err_set(e, ERR_DENIED, "no credentials: " ID " and " SECRET " are not set");
	foreign = foreign_name(&s);
	if (foreign)
		err_hint(
			e,
			"%s is set, but is a name of other tools that is not read here: give the same "
			"key in " ID " and " SECRET,
			foreign);
	else
		err_hint(e, "export " ID " and " SECRET " of a RAM user who may use DTS; "
		            "--simulate needs none");
	return -1;
}
