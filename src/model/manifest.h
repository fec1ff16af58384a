/*
 * Bytes of one manifest file -> blocks of keys with every position kept.
 * Logical lines (BOM, CRLF, comments, continuations, bracketed values) are
 * assembled here; inih splits them. Knows nothing about types. Pure.
 * Grammar: design.md 2.
 */
#ifndef MODEL_MANIFEST_H
#define MODEL_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/diag.h"

#define MANIFEST_FILE_MAX (64u << 20)
#define MANIFEST_VALUE_MAX (1u << 20)
#define MANIFEST_NAME_MAX 64
#define MANIFEST_HEADER_MAX 512 /* longer ones are cut in messages only; no address is that long */
#define MANIFEST_RESOURCES_MAX 100000

/* A piece of a value that stands together in the file. */
struct span {
	uint32_t off; /* offset in the assembled value */
	unsigned line, col;
};

struct raw_key {
	const char *name;
	struct pos pos; /* of the name */
	/* value: trimmed, continuations joined by one blank, comments and blank lines gone;
	 * NUL-terminated */
	const char *text;
	size_t n;
	const struct span *spans; /* at least one */
	uint32_t nspans;
	bool continued; /* the value went on in further lines */
	/* the value could not be read, which has been reported: text is "" and stands for
	 * nothing */
	bool bad;
};

struct block {
	/* text between the brackets, trimmed; NULL: unreadable (reported), its keys are to be
	 * skipped */
	const char *header;
	struct pos pos; /* of the opening bracket */
	struct raw_key *keys;
	size_t n;
	/* something in it could not be read: whatever seems to be missing may have stood there */
	bool broken;
};

struct manifest {
	struct arena *a;
	struct block *v; /* in file order, over all files */
	size_t n, cap;
	const char **files;
	size_t nfiles, files_cap;
};

void manifest_init(struct manifest *m, struct arena *a);
/* Adds one file's blocks. All mistakes go to d. text need not be NUL-terminated and may be
 * released afterwards. */
void manifest_parse(struct manifest *m, const char *file, const char *text, size_t n,
                    struct diag *d);
/* Position of byte `off` of a value. */
struct pos raw_pos(const struct raw_key *k, size_t off);

#endif
