#include "sim/items.h"

#include <string.h>

#include "base/text.h"

const struct item check_items[] = {
	{"CHECK_CONN_SRC", false},
	{"CHECK_AUTH_SRC", false},
	{"CHECK_CONN_DEST", false},
	{"CHECK_AUTH_DEST", false},
	{"CHECK_BINLOG_ON", false},
	{"CHECK_BINLOG_MODE", false},
	{"CHECK_BINLOG_ROW_IMAGE", false},
	{"CHECK_SERVER_ID", true},
	{"CHECK_BINLOG_EXIST", false},
	{"CHECK_ENGINE", false},
	{"CHECK_MYSQL_PASSOWRD_FORMAT", false},
	{"CHECK_SRC", true},
	{"CHECK_SAME_OBJ", true},
	{"CHECK_SQL_MODE", false},
	{"CHECK_SAME_USER", true},
	{"CHECK_TOPOLOGY", true},
	{"CHECK_DEST_TABLE_EMPTY", true},
};
const size_t ncheck_items = sizeof(check_items) / sizeof(check_items[0]);

const struct item *item_find(const char *name)
{
	for (size_t i = 0; i < ncheck_items; i++)
		if (strcmp(check_items[i].name, name) == 0)
			return &check_items[i];
	return NULL;
}

bool item_in(const char *list, const char *name)
{
	return text_has_field(list, ',', name, false);
}
