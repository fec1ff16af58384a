/* The operations, by topic: ops_*.c. And what they share: finding the object a call names. */
#ifndef SIM_OPS_H
#define SIM_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/world.h"

struct arena;
struct call;
struct json;

/* ops_buy.c */
int op_create(struct call *c);
int op_transfer_class(struct call *c);
int op_transfer_pay(struct call *c);
int op_renew(struct call *c);
int op_upgrade_two_way(struct call *c);
int op_convert_group(struct call *c);
/* ops_configure.c */
int op_configure(struct call *c);
/* ops_control.c */
int op_start(struct call *c);
int op_suspend(struct call *c);
int op_stop(struct call *c);
int op_reset(struct call *c);
int op_delete(struct call *c);
int op_start_batch(struct call *c);
int op_suspend_batch(struct call *c);
int op_stop_batch(struct call *c);
int op_delete_batch(struct call *c);
int op_delete_old(struct call *c);
int op_create_reverse(struct call *c);
/* ops_modify.c */
int op_modify(struct call *c);
int op_modify_name(struct call *c);
int op_modify_password(struct call *c);
int op_modify_endpoint(struct call *c);
int op_modify_config(struct call *c);
int op_modify_dynamic(struct call *c);
int op_modify_cluster(struct call *c);
int op_modify_du(struct call *c);
/* ops_config.c */
/* Known in that module, and with a documented value. */
bool param_valid(const char *module, const char *name, const char *value);
/* ops_list.c */
int op_list(struct call *c);
int op_count(struct call *c);
/* ops_describe.c */
int op_detail(struct call *c);
int op_instance_detail(struct call *c);
int op_job_config(struct call *c);
int op_dts_ip(struct call *c);
/* ops_precheck.c */
int op_precheck_status(struct call *c);
int op_skip(struct call *c);
int op_shield(struct call *c);
/* ops_tags.c */
int op_tag(struct call *c);
int op_untag(struct call *c);
int op_list_tags(struct call *c);
int op_create_rule(struct call *c);
int op_describe_rule(struct call *c);

/*
 * find.c: 0, or -1 after call_gone (or call_missing, call_bad). Objects of another region do not
 * exist.
 */
int find_instance(struct call *c, const char *id, struct instance **out);
int find_job_id(struct call *c, const char *id, struct job **out);
/*
 * By DtsJobId, or by DtsInstanceId and direction; both must fit. released: a released job is
 * found, too.
 */
int find_job(struct call *c, const char *instance_param, bool released, struct job **out);
bool region_known(const char *region);
void log_job(struct call *c, const struct job *j);
/* The instance's job of a direction; NULL if there is none (any more). */
struct job *instance_job(struct world *w, const struct instance *i, bool reverse);
/* A job nobody has configured, as every purchase and reset makes one. */
struct job *job_blank(struct world *w, const char *id, struct instance *i, bool reverse);
/* Class order: micro 0 ... 8xlarge 8; -1 unknown. xxlarge is the old name of 2xlarge. */
int cls_rank(const char *cls);

/* objects.c: DbList and Reserve. NULL: not valid. Texts live in c->a. */
const char *db_object_from(struct call *c, const char *db_list);
/*
 * The list of a request: DbList, or FileOssUrl in its place, which gives NULL, for the file is not
 * read here. 0 or -1.
 */
int objects_from(struct call *c, const char **objects);
struct json *parse_object(struct call *c, const char *text);
/* What is read back: sent keys over former ones, the server's own beside them, secrets masked. */
const char *reserved_from(struct call *c, const char *former, const struct json *sent,
                          const struct job *j);
const char *json_key_text(struct call *c, const struct json *o,
                          const char *key); /* NULL if absent or "" */
bool secret_key_name(const char *name);
/* Every member with such a name, at any depth, becomes the text `instead`. */
void hide_secrets(struct arena *a, struct json *o, const char *instead);

/* render.c */
struct json *render_list_item(struct call *c, const struct instance *i, const struct job *j,
                              bool nested);
void render_detail(struct call *c, struct json *o, const struct instance *i, const struct job *j);
/*
 * What this read shows: an old failure may linger (scenario [stale-failure.*]); read_ends counts
 * the read.
 */
enum status shown_status(const struct job *j);
const char *shown_items(const struct job *j);
void read_ends(struct call *c, struct job *j);
const char *precheck_state(const struct job *j); /* NotStarted, Checking, Failed, Finished */

#endif
