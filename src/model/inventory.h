/*
 * What the service says exists: rows of DescribeDtsJobs (a nested ReverseJob
 * is a row of its own), plus the single reads some rows needed. Finished
 * rows are gone and are left out, but counted.
 */
#ifndef MODEL_INVENTORY_H
#define MODEL_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "model/status.h"

struct arena;
struct json;

struct observed {
	const char *instance_id; /* "" for an unpurchased job */
	const char *job_id;
	const char *name, *raw_status;
	enum job_status status;
	bool reverse,
		two_way; /* two_way: the service returned a direction or a nested ReverseJob */
	const char *cls, *pay_type;                   /* wire form of the service; NULL if absent */
	int64_t created_s, expire_s;                  /* epoch seconds or -1 */
	const struct json *row;                       /* DescribeDtsJobs row */
	const struct json *detail, *monitor, *config; /* single reads; NULL: not read */
	const char *error;                            /* ErrorMessage, NULL if none */
};

struct inventory {
	struct arena *a;
	struct observed **v;
	size_t n, cap;
	struct map by_job, by_instance,
		by_reverse; /* id -> index; by_instance: the forward row, by_reverse: instance id -> reverse row */
	size_t finished;
	bool complete;     /* every page of every region asked for has arrived */
	int64_t server_ms; /* wall clock of the service at the last answer */
};

void inventory_init(struct inventory *inv, struct arena *a);
/* Adds one element of DtsJobList (and its ReverseJob). row must live as long as the inventory. */
void inventory_add_row(struct inventory *inv, const struct json *row);
/*
 * What a single read said, which is newer than the lists: of a row that is there (known), else of a job that no list had (NULL). row
 * must live as long as the inventory. What only lists tell is kept.
 */
void inventory_renew(struct inventory *inv, struct observed *known, const struct json *row);
struct observed *inventory_job(const struct inventory *inv,
                               const char *job_id); /* NULL: not seen */
struct observed *inventory_instance(const struct inventory *inv, const char *instance_id,
                                    bool reverse);
/* Fills an observed from a row. */
void observed_read(struct observed *o, struct arena *a, const struct json *row, bool reverse);

#endif
