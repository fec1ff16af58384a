#include "cli/ui.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/json.h"
#include "base/map.h"
#include "base/text.h"

#define OUT_MAX ((size_t)1 << 30)

static const char *const codes[] = {"",        "\x1b[32m", "\x1b[33m", "\x1b[31m",
                                    "\x1b[2m", "\x1b[1m",  "\x1b[36m"};

static bool wants_color(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return fd >= 0 && isatty(fd) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

void ui_init(struct ui *u, int out_fd, int err_fd)
{
	*u = (struct ui){.out_fd = out_fd, .err_fd = err_fd, .width = 100, .height = 24};
	arena_init(&u->a);
	buf_init(&u->out, OUT_MAX);
	buf_init(&u->err, OUT_MAX);
	u->out_tty = out_fd >= 0 && isatty(out_fd);
	u->err_tty = err_fd >= 0 && isatty(err_fd);
	u->out_color = wants_color(out_fd);
	u->err_color = wants_color(err_fd);
	ui_resize(u);
}

void ui_resize(struct ui *u)
{
	int fd = u->err_tty ? u->err_fd : u->out_tty ? u->out_fd : -1;
	struct winsize ws;

	if (fd >= 0 && ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 20 && ws.ws_row >= 4) {
		u->width = ws.ws_col;
		u->height = ws.ws_row;
	}
}

void ui_release(struct ui *u)
{
	ui_flush(u);
	buf_release(&u->out);
	buf_release(&u->err);
	arena_release(&u->a);
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0 && errno == EAGAIN) { /* a terminal in non-blocking mode: wait for it */
			struct pollfd f = {.fd = fd, .events = POLLOUT};

			poll(&f, 1, 1000);
			continue;
		}
		if (w < 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

void ui_flush(struct ui *u)
{
	if (u->out_fd >= 0) {
		if (u->out.n && !u->out_broken &&
		    !write_all(u->out_fd, buf_str(&u->out), u->out.n)) {
			u->out_broken = true;
			if (errno != EPIPE) /* a reader that has seen enough is no error */
				buf_printf(&u->err, "error: cannot write to standard output: %s\n",
				           strerror(errno));
		}
		buf_reset(&u->out);
	}
	if (u->err_fd >= 0) {
		if (u->err.n)
			write_all(u->err_fd, buf_str(&u->err), u->err.n);
		buf_reset(&u->err);
	}
	arena_reset(&u->a);
}

void ui_out(struct ui *u, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&u->out, fmt, ap);
	va_end(ap);
}

void ui_err(struct ui *u, const char *fmt, ...)
{
	va_list ap;

	if (u->json)
		return;
	va_start(ap, fmt);
	buf_vprintf(&u->err, fmt, ap);
	va_end(ap);
}

const char *ui_tint(struct ui *u, bool err, enum tint t, const char *text)
{
	if (t == TINT_NONE || !(err ? u->err_color : u->out_color))
		return text;
	return arena_printf(&u->a, "%s%s\x1b[0m", codes[t], text);
}

const char *ui_safe(struct ui *u, const char *text, size_t cells)
{
	return text ? text_safe_dup(&u->a, text, cells) : "";
}

const char *ui_pad(struct ui *u, const char *text, size_t cells)
{
	size_t w = text_width(text);

	return w >= cells ? text : arena_printf(&u->a, "%s%*s", text, (int)(cells - w), "");
}

const char *ui_word(struct ui *u, const char *name)
{
	char *word = arena_strdup(&u->a, name);

	for (char *p = word; *p; p++)
		if (*p == ' ' || *p == '-')
			*p = '_';
	return word;
}

struct json *ui_line(struct ui *u, const char *type)
{
	struct json *o = json_new(&u->a, JSON_OBJECT);

	ui_int(u, o, "v", 1);
	ui_str(u, o, "type", type);
	return o;
}

void ui_str(struct ui *u, struct json *o, const char *key, const char *value)
{
	if (value)
		json_add(o, key, json_new_str(&u->a, value));
}

void ui_int(struct ui *u, struct json *o, const char *key, int64_t value)
{
	json_add(o, key, json_new_int(&u->a, value));
}

void ui_emit(struct ui *u, struct json *o)
{
	json_write(&u->out, o, false);
	buf_putc(&u->out, '\n');
	ui_flush(u);
}

static const char *const level_names[] = {"error", "warning", "note"};
static const enum tint level_tints[] = {TINT_RED, TINT_YELLOW, TINT_CYAN};

static void diag_json(struct ui *u, const struct diag_item *i)
{
	struct json *o = ui_line(u, "diagnostic");

	ui_str(u, o, "level", level_names[i->level]);
	ui_str(u, o, "file", i->pos.file);
	if (i->pos.line)
		ui_int(u, o, "line", i->pos.line);
	if (i->pos.col)
		ui_int(u, o, "column", i->pos.col);
	ui_str(u, o, "message", i->msg);
	ui_str(u, o, "hint", i->hint);
	if (i->more)
		ui_int(u, o, "times", (int64_t)i->more + 1);
	ui_emit(u, o);
}

static void diag_text(struct ui *u, const struct diag_item *i, uint32_t times)
{
	if (i->pos.file) {
		ui_err(u, "%s:", ui_safe(u, i->pos.file, 0));
		if (i->pos.line)
			ui_err(u, "%u:", i->pos.line);
		if (i->pos.line && i->pos.col)
			ui_err(u, "%u:", i->pos.col);
		ui_err(u, " ");
	}
	ui_err(u, "%s: %s", ui_tint(u, true, level_tints[i->level], level_names[i->level]),
	       ui_safe(u, i->msg, 0));
	if (times > 1)
		ui_err(u, " (and %u more like it)", times - 1);
	ui_err(u, "\n");
	if (i->hint)
		ui_err(u, "    %s\n", ui_safe(u, i->hint, 0));
}

/* A manifest of a thousand jobs may earn the same note a thousand times: it is said once, with
 * the number. */
static void count_notes(struct map *m, const struct diag *d)
{
	for (size_t i = 0; i < d->n; i++) {
		uint32_t n = d->v[i].level == DIAG_NOTE ? map_get(m, d->v[i].msg) : 0;

		if (d->v[i].level == DIAG_NOTE)
			map_put(m, d->v[i].msg, (n == MAP_NONE ? 0 : n) + 1 + d->v[i].more);
	}
}

static bool note_wanted(const struct ui *u, const struct diag *d, struct map *m,
                        const struct diag_item *i, uint32_t *times)
{
	*times = map_get(m, i->msg);
	if (!*times || (!u->notes && !d->errors))
		return false;
	if (!u->json)
		map_put(m, i->msg, 0);
	return true;
}

void ui_diag(struct ui *u, const struct diag *d)
{
	struct arena a;
	struct map notes;
	size_t shown = 0;

	arena_init(&a);
	map_init(&notes, &a);
	count_notes(&notes, d);
	for (size_t i = 0; i < d->n; i++) {
		const struct diag_item *it = &d->v[i];
		uint32_t times = 1;

		if ((u->quiet && it->level != DIAG_ERROR) ||
		    (it->level == DIAG_NOTE && !note_wanted(u, d, &notes, it, &times)))
			continue;
		shown += it->level == DIAG_ERROR;
		if (u->json)
			diag_json(u, it);
		else
			diag_text(u, it, times);
	}
	if (d->errors > shown && !u->json)
		ui_err(u, "... and %zu more errors\n", d->errors - shown);
	ui_flush(u);
	arena_release(&a);
}

void ui_error(struct ui *u, const struct err *e)
{
	bool named;

	if (u->json) {
		struct json *o = ui_line(u, "error");
		int exit = err_exit_status(e->code);

		ui_int(u, o, "exit", u->ended_by ? u->ended_by(exit) : exit);
		ui_str(u, o, "subject", *e->subject ? e->subject : NULL);
		ui_str(u, o, "message", e->msg);
		ui_str(u, o, "hint", *e->hint ? e->hint : NULL);
		ui_emit(u, o);
		return;
	}
	named = !*e->subject || text_starts(e->msg, e->subject);
	ui_err(u, "%s: %s%s%s\n", ui_tint(u, true, TINT_RED, "error"),
	       named ? "" : ui_safe(u, e->subject, 0), named ? "" : ": ", ui_safe(u, e->msg, 0));
	if (*e->hint)
		ui_err(u, "    %s\n", ui_safe(u, e->hint, 0));
	ui_flush(u);
}

void ui_warning(struct ui *u, const char *fmt, ...)
{
	va_list ap;
	char *text;

	if (u->quiet)
		return;
	va_start(ap, fmt);
	text = arena_vprintf(&u->a, fmt, ap);
	va_end(ap);
	if (u->json) {
		struct json *o = ui_line(u, "diagnostic");

		ui_str(u, o, "level", "warning");
		ui_str(u, o, "message", text);
		ui_emit(u, o);
		return;
	}
	ui_err(u, "%s: %s\n", ui_tint(u, true, TINT_YELLOW, "warning"), ui_safe(u, text, 0));
	ui_flush(u);
}

bool ui_confirm(struct ui *u, const char *question)
{
	char line[64];

	ui_err(u, "%s", question);
	ui_flush(u);
	if (!fgets(line, sizeof line, stdin))
		return false;
	line[strcspn(line, "\r\n")] = 0;
	return !strcmp(line, "yes") || !strcmp(line, "y");
}
