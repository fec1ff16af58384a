/*
 * The terminal: the only writer of stdout and stderr. Data goes to stdout, talk to stderr; with
 * --json both are JSON Lines on stdout. A reader that goes away never ends the program: what
 * cannot be written is dropped and noted (out_broken).
 */
#ifndef CLI_UI_H
#define CLI_UI_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

struct diag;
struct err;
struct json;

enum tint { TINT_NONE, TINT_GREEN, TINT_YELLOW, TINT_RED, TINT_DIM, TINT_BOLD, TINT_CYAN };

struct ui {
	struct arena a; /* scratch, reset by ui_flush */
	struct buf out, err;
	int out_fd, err_fd; /* -1: only collect (tests) */
	bool json, quiet, verbose;
	/* show notes also when nothing is wrong: validate, plan and rehearsals are there to be read */
	bool notes;
	bool out_color, err_color, out_tty, err_tty;
	bool out_broken;             /* something could not be written to stdout */
	int (*ended_by)(int status); /* what the process will really end with; NULL: status */
	unsigned width, height;
};

void ui_init(struct ui *u, int out_fd, int err_fd);
void ui_release(struct ui *u);
void ui_resize(struct ui *u); /* the terminal's size as it is now */
void ui_out(struct ui *u, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ui_err(struct ui *u, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void ui_flush(struct ui *u);
/* "text" with the colour of the stream, when it has colours. text must be safe already. */
const char *ui_tint(struct ui *u, bool err, enum tint t, const char *text);
/* Foreign text made safe for a terminal; at most cells wide (0: no limit). */
const char *ui_safe(struct ui *u, const char *text, size_t cells);
/* text padded with blanks to `cells` terminal cells. */
const char *ui_pad(struct ui *u, const char *text, size_t cells);

/* A name of ours as JSON has it: "resume creation" -> "resume_creation". */
const char *ui_word(struct ui *u, const char *name);

/* JSON Lines: {"v":1,"type":TYPE,...}. The object is built in u->a. */
struct json *ui_line(struct ui *u, const char *type);
void ui_str(struct ui *u, struct json *o, const char *key, const char *value); /* NULL: left out */
void ui_int(struct ui *u, struct json *o, const char *key, int64_t value);
void ui_emit(struct ui *u, struct json *o);

void ui_diag(struct ui *u, const struct diag *d);
void ui_error(struct ui *u, const struct err *e);
void ui_warning(struct ui *u, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "yes" or "y" on a terminal; anything else, end of file too: false. */
bool ui_confirm(struct ui *u, const char *question);

#endif
