/*
 * What the API says about operations and their parameters; generated table, see params_table.inc.
 */
#ifndef SIM_PARAMS_H
#define SIM_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "sim/limits.h"

struct call;

enum param_type { T_STR, T_BOOL, T_INT, T_NUM, T_LIST };
#define P_REQ 1u    /* required by the metadata */
#define P_DOC 2u    /* required by the help page or the SDK only */
#define P_SVC 4u    /* required, with an answer of the service's own */
#define P_BODY 8u   /* documented in the form body */
#define P_ICASE 16u /* case of values does not matter */

struct param_def {
	const char *name;
	enum param_type type;
	unsigned flags;
	const char *values; /* "A|B" or NULL: anything */
};

enum success_kind { SUC_BOOL, SUC_TEXT, SUC_NONE }; /* dts-api.md 1.1 */
enum code_kind { CODE_NONE, CODE_TEXT, CODE_INT };  /* a field Code: the HTTP status */
enum http_kind { HTTP_INT, HTTP_TEXT, HTTP_NONE };

struct op {
	const char *name;
	int (*run)(struct call *c); /* 0, or -1 after call_fail and its kin */
	enum rate_class rate;
	enum success_kind success;
	enum http_kind http;
	enum code_kind code;
	bool post_only;
	const struct param_def *params;
	size_t nparams;
};

const struct op *op_find(const char *action);
bool op_unserved(const char *action); /* in the API, not simulated */
/* alibaba-auth.md 4.5 step 11: names, required ones, types, values. */
int params_check(struct call *c);

#endif
