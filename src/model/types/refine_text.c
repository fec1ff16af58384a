/* Hooks of text and number rows: what the kind alone cannot tell. */
#include <string.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/text.h"
#include "model/normalize.h"
#include "model/types/types.h"

REFINE(refine_role)
{
	const char *slash = strrchr(text, '/');

	if (!text_starts(text, "acs:") && !text_starts(text, "arn:") && !slash)
		return text;
	diag_error(d, source_pos(src, 0),
	           slash && slash[1] ? arena_printf(a, "write %s", text_safe_dup(a, slash + 1, 80))
	                             : NULL,
	           "%s: the bare name of the role is needed, not its ARN", at->key);
	return NULL;
}

REFINE(refine_account)
{
	(void)a;
	if (text[strspn(text, "0123456789")])
		diag_warn(d, source_pos(src, 0), NULL, "%s: an account id has digits only",
		          at->key);
	return text;
}

REFINE(refine_checkpoint)
{
	size_t n = strlen(text);
	size_t digits = strspn(text, "0123456789");

	if (n == 10 && digits == 10)
		return text;
	if (n == 13 && digits == 13)
		diag_error(d, source_pos(src, 0), arena_printf(a, "write %.10s", text),
		           "%s: 13 digits are milliseconds, the service counts in seconds",
		           at->key);
	else
		diag_error(d, source_pos(src, 0), NULL, "%s: seconds since 1970 have 10 digits",
		           at->key);
	return NULL;
}

REFINE(refine_threshold)
{
	int64_t s;

	(void)a;
	if (text_int(text, 0, 9, &s))
		diag_warn(d, source_pos(src, 0), NULL,
		          "%s: below 10 seconds the usual ups and downs of network and load raise "
		          "the alarm",
		          at->key);
	return text;
}
