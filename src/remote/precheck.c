/* Precheck items (dts-api.md 19): which failed, and what that means to the person who has to mend it. */
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "remote/dts.h"

/* Items are found with or without _DETAIL. */
static const struct {
	const char *item, *text;
} explain[] = {
	{"CHECK_CONN_SRC",
         "DTS cannot reach the source database. Check address, port and account; open the firewall or "
         "IP whitelist of the database for the DTS servers of the region; for ECS, EXPRESS and CEN "
         "check the route and the security group as well."},
	{"CHECK_CONN_DEST",
         "DTS cannot reach the destination database. Check address, port and account; open the "
         "firewall or IP whitelist of the database for the DTS servers of the region; for ECS, EXPRESS "
         "and CEN check the route and the security group as well."},
	{"CHECK_AUTH_SRC",
         "The source account lacks rights. It has to read the chosen objects and, for the incremental "
         "phase, the log: for MySQL that is SELECT, REPLICATION SLAVE, REPLICATION CLIENT and SHOW VIEW."},
	{"CHECK_AUTH_DEST",
         "The destination account lacks rights. It has to read and write the target objects, and to "
         "create and change them when structure_initialization = true or DDL is carried over."},
	{"CHECK_BINLOG_ON",
         "The source writes no binary log, so changes cannot be followed. Switch it on (log_bin) and "
         "restart the server."},
	{"CHECK_BINLOG_MODE",
         "The binary log of the source is not row based. Set binlog_format = ROW and let open sessions "
         "reconnect."},
	{"CHECK_BINLOG_ROW_IMAGE",
         "The binary log of the source holds partial rows. Set binlog_row_image = FULL and let open "
         "sessions reconnect."},
	{"CHECK_BINLOG_EXIST",
         "Binary logs that are needed are gone from the source. Keep them longer (expire_logs_days or "
         "binlog_expire_logs_seconds; a week is a good measure), and start again."},
	{"CHECK_SERVER_ID",
         "server_id of the source is 0 or not unique among its replicas. Give the server an id of its "
         "own."},
	{"CHECK_ENGINE",
         "Some tables use a storage engine that cannot be synchronized. Convert them to InnoDB or take "
         "them out of db_list."},
	{"CHECK_MYSQL_PASSOWRD_FORMAT", /* the service's spelling */
         "The account has a password of the old short format. Set it again with old_passwords = 0."},
	{"CHECK_SRC", "Version or kind of the source database is not what the job says. Compare "
                      "source_endpoint_engine_name and the version with what DTS supports."},
	{"CHECK_SAME_OBJ",
         "The destination already has objects of the same name. Rename or remove them, map them to "
         "other names in db_list, or set targetTableMode = \"2\" in reserve to go on with them (rows "
         "of equal key are then overwritten by changes)."},
	{"CHECK_SAME_USER",
         "The destination already has database accounts of the same name. Remove them or do not migrate "
         "accounts."},
	{"CHECK_SQL_MODE",
         "sql_mode of source and destination differ in a way that lets values fail. Make them equal."},
	{"CHECK_TOPOLOGY",
         "This job would form a topology that DTS does not support, such as a loop or two jobs that "
         "write one table. Look for other jobs on the same objects."},
	{"CHECK_DEST_TABLE_EMPTY",
         "Target tables already hold rows. Empty them, or accept that existing rows stay or are "
         "overwritten by skipping this item."},
	{"CHECK_FK",
         "Tables that others refer to by a foreign key are missing from db_list. Add them or drop the "
         "constraints."},
	{"CHECK_SRC_DATABASE",
         "A database named in db_list does not exist in the source. Check its spelling."},
	{"CHECK_TIME_ZONE", "Source and destination have different time zones. Make them equal."},
};

const char *dts_precheck_explain(const char *item)
{
	static const char suffix[] = "_DETAIL";
	size_t n = item ? strlen(item) : 0;

	if (n && text_ends(item, suffix))
		n -= sizeof suffix - 1;
	for (size_t i = 0; n && i < sizeof explain / sizeof explain[0]; i++)
		if (strlen(explain[i].item) == n && !strncmp(explain[i].item, item, n))
			return explain[i].text;
	return NULL;
}

typedef VEC(struct precheck_item) item_list;

static const char *text_of(struct arena *a, const struct json *p, const char *key)
{
	const char *s = json_text(a, p, key);

	return text_empty(s) ? NULL : secret_mask(a, s);
}

static bool listed(const item_list *out, const char *item)
{
	for (size_t i = 0; i < out->n; i++)
		if (text_eq(out->v[i].item, item))
			return true;
	return false;
}

static void take(struct arena *a, const struct json *list, item_list *out)
{
	for (const struct json *p = list ? list->child : NULL; p; p = p->next) {
		const char *item = text_of(a, p, "Item"), *msg = text_of(a, p, "ErrMsg");
		const char *detail = text_of(a, p, "ErrDetail");
		const struct json *can = json_get(p, "CanSkip");

		if (!text_ieq(json_str(p, "State"), "Failed"))
			continue;
		item = item ? item : text_of(a, p, "Names");
		if (!item || listed(out, item))
			continue;
		*VEC_PUSH(a, out) = (struct precheck_item){
			.item = item,
			.state = json_str(p, "State"),
			.message = msg && detail ? arena_printf(a, "%s: %s", msg, detail)
		                   : msg         ? msg
		                                 : detail,
			.repair = text_of(a, p, "RepairMethod"),
			.can_skip = json_true(can),
			.never_skip = can && !json_true(can),
		};
	}
}

size_t dts_precheck_items(struct arena *a, const struct json *root, struct precheck_item **out)
{
	static const char *const parts[] = {"SubDistributedJobStatus", "FullNetCheckJobStatus"};
	item_list list = {0};

	take(a, json_get(root, "JobProgress"), &list);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		const struct json *part = json_get(root, parts[i]);

		for (const struct json *p = part ? part->child : NULL; p; p = p->next)
			take(a, json_get(p, "JobProgress"), &list);
	}
	*out = list.v;
	return list.n;
}
