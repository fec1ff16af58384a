/* Precheck items (dts-api.md 19). */
#ifndef SIM_ITEMS_H
#define SIM_ITEMS_H

#include <stdbool.h>
#include <stddef.h>

struct item {
	const char *name;
	bool can_skip;
};

extern const struct item check_items[];
extern const size_t ncheck_items;

const struct item *item_find(const char *name);
bool item_in(const char *list, const char *name); /* list: "A,B", NULL: empty */

#endif
