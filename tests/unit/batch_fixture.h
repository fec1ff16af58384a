/* A manifest in memory, with the environment and files it may ask for. */
#ifndef TESTS_BATCH_FIXTURE_H
#define TESTS_BATCH_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"
#include "model/batch.h"
#include "model/manifest.h"

struct fx_pair {
	const char *name, *text;
};

struct bfx {
	struct arena a;
	struct diag d;
	struct manifest m;
	struct batch b;
	struct batch_opts o;
	struct inputs in;
	const struct fx_pair *env, *files; /* end: name NULL */
	size_t reads;
};

void bfx_init(struct bfx *f);
void bfx_release(struct bfx *f);
void bfx_parse(struct bfx *f, const char *file, const char *text);
void bfx_build(struct bfx *f); /* what has been parsed */
/* parse "m.ini" and build */
void bfx_batch(struct bfx *f, const char *text);

/* Was this said? line 0: anywhere; col 0: anywhere on that line. */
bool bfx_said(const struct bfx *f, enum diag_level level, unsigned line, unsigned col,
              const char *needle);
void bfx_print(const struct bfx *f);
#define assert_said(f, level, line, col, needle)                                                   \
	do {                                                                                       \
		if (!bfx_said((f), (level), (line), (col), (needle))) {                            \
			bfx_print(f);                                                              \
			fail_msg("not said at %u:%u: %s", (unsigned)(line), (unsigned)(col),       \
			         (needle));                                                        \
		}                                                                                  \
	} while (0)
#define assert_counts(f, nerrors, nwarnings)                                                       \
	do {                                                                                       \
		if ((f)->d.errors != (nerrors) || (f)->d.warnings != (nwarnings)) {                \
			bfx_print(f);                                                              \
			fail_msg("%zu errors and %zu warnings", (f)->d.errors, (f)->d.warnings);   \
		}                                                                                  \
	} while (0)

const struct resource *bfx_res(const struct bfx *f, const char *address);
const struct raw_key *bfx_key(const struct bfx *f, const char *header, const char *name);

/* All keys an instance or a job needs, without for_each, id link and what a test gives itself. */
#define INSTANCE_KEYS                                                                              \
	"payment_type = PayAsYouGo\n"                                                              \
	"source_endpoint_engine_name = MySQL\nsource_endpoint_region = cn-hangzhou\n"              \
	"destination_endpoint_engine_name = MySQL\ndestination_endpoint_region = cn-hangzhou\n"
#define JOB_ENDPOINTS                                                                              \
	"source_endpoint_instance_type = RDS\nsource_endpoint_instance_id = rm-1\n"                \
	"source_endpoint_engine_name = MySQL\nsource_endpoint_region = cn-hangzhou\n"              \
	"source_endpoint_user_name = u\n"                                                          \
	"destination_endpoint_instance_type = RDS\ndestination_endpoint_instance_id = rm-2\n"      \
	"destination_endpoint_engine_name = MySQL\ndestination_endpoint_region = cn-hangzhou\n"    \
	"destination_endpoint_user_name = u\n"                                                     \
	"structure_initialization = true\ndata_initialization = true\n"                            \
	"data_synchronization = true\n"                                                            \
	"reserve = {\"targetTableMode\": \"0\"}\n"
#define JOB_LIST "db_list = {\"d\": {\"name\": \"d\", \"all\": true}}\n"
#define JOB_PW "source_endpoint_password = ${env:PW}\ndestination_endpoint_password = ${env:PW}\n"
#define JOB_KEYS JOB_ENDPOINTS JOB_LIST JOB_PW

#endif
