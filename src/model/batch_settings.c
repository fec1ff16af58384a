/*
 * The rows of [dtsbatch] and of the lifecycle keys, and what reads a value
 * by its row.
 */
#include <string.h>

#include "base/text.h"
#include "model/batch_internal.h"

#define NO_COMMENTS                                                                                \
	"there are no inline comments: everything after `=` belongs to the value; give the "       \
	"comment its own line"
#define DURATION_MAX_MS ((int64_t)366 * 24 * 3600 * 1000)
#define INT_MAX_VALUE 1000000

#define LIFE(field) ((uint16_t)offsetof(struct lifecycle, field))
#define SET(field) ((uint16_t)offsetof(struct settings, field))

/* clang-format off */
const struct meta_key lifecycle_keys[] = {
/* key, values, default, doc, kind, field, in [defaults.TYPE] */
{"depends_on", "ADDRESS, ...", NULL,
 "Resources that must be ready before this one, beyond those its references name.",
 META_LIST, 0, false},
{"endpoint_change", "never|same-data", "never",
 "same-data is your promise that the new endpoint holds the same data at the same position (a "
 "failover, a new address): the job "
 "is then pointed there and resumes. never: a change of an endpoint needs a replacement.",
 META_FLAG, LIFE(endpoint_same_data), true},
{"ensure", "present|absent", "present",
 "absent: the resource is deleted, and the section may stay.", META_FLAG, LIFE(absent), false},
{"for_each", "ITEM, ... or @FILE", NULL,
 "Repeats the section for each item; `${each}` is the item, and the address is "
 "TYPE.NAME[\"ITEM\"]. @FILE has one item per line.",
 META_LIST, 0, false},
{"ignore", "KEY, ...", NULL,
 "Keys that are set at creation and not compared afterwards.", META_LIST, 0, true},
{"import_id", "ID", NULL,
 "Takes the existing instance or job of this id over instead of creating one.",
 META_TEXT, LIFE(import_id), false},
{"on_destroy", "delete|forget", "delete",
 "forget: when the resource is to be deleted it is left on the service, and only its record goes.",
 META_FLAG, LIFE(destroy_forgets), true},
{"on_gone", "recreate|forget|fail", "recreate",
 "What to do when the resource is recorded but no longer exists on the service. recreate: it is created anew; forget: it is "
 "gone and stays gone, its record says since when, and it is created anew only after `state rm` or when its section has been "
 "removed and written again; fail: the run says so and changes nothing of it.",
 META_CHOICE, LIFE(on_gone), true},
{"protect", "true|false", "false",
 "true: never deleted or replaced. Kept in the state, so removing the section does not lift it.",
 META_BOOL, LIFE(protect), true},
{"region", "REGION", "destination region of its instance, else region of [dtsbatch]",
 "Region whose endpoint serves this resource.", META_LIST, 0, true},
{"replace", "never|allowed", "never",
 "allowed: for a change that the API cannot make in place a job is emptied (ResetDtsJob) and configured anew on the instance "
 "that is paid, and an instance is deleted and bought anew. never: it is an error, unless --replace names the resource.",
 META_FLAG, LIFE(replace_allowed), true},
/* what SkipPreCheck takes (dts-api.md 19); connectivity, rights and binary log cannot be wished away */
{"skip_precheck", "CHECK_DEST_TABLE_EMPTY|CHECK_SAME_OBJ|CHECK_SAME_USER|CHECK_SERVER_ID|CHECK_SRC|CHECK_TOPOLOGY", NULL,
 "Precheck items, separated by commas, whose failure is accepted and skipped. Only those that the service lets be skipped.",
 META_WORDS, LIFE(skip_precheck), true},
{"timeout_create", "DURATION", "20m", "How long the creation may take.",
 META_DURATION, LIFE(timeout_create_ms), true},
{"timeout_delete", "DURATION", "20m", "How long the deletion may take.",
 META_DURATION, LIFE(timeout_delete_ms), true},
{"timeout_update", "DURATION", "10m", "How long a change may take.",
 META_DURATION, LIFE(timeout_update_ms), true},
{"was", "NAME", NULL,
 "Former name of this section: its record is renamed, DTS is not touched. No effect once that is "
 "done.", META_LIST, 0, false},
{NULL, NULL, NULL, NULL, META_TEXT, 0, false},
};

const struct meta_key setting_keys[] = {
{"adopt", "auto|ask", "auto",
 "After a purchase whose answer was lost: auto takes the instance over that must be it, ask stops "
 "and lets you decide.",
 META_WORD, SET(adopt), false},
{"deadline", "DURATION", NULL,
 "No step is begun that cannot end within this time after the start; what is left is reported.",
 META_DURATION, SET(deadline_ms), false},
{"endpoint", "HOST or http(s)://HOST[:PORT]", "the public host of the region",
 "Where the DTS API is reached.", META_TEXT, SET(endpoint), false},
{"lock_timeout", "DURATION", "0s",
 "How long to wait for another run that holds the state.",
 META_DURATION, SET(lock_timeout_ms), false},
{"max_changes", "NUMBER", NULL,
 "A run that nobody has looked at stops when it would make more changes than this.",
 META_INT, SET(max_changes), false},
{"max_deletes", "NUMBER", NULL,
 "The same for deletions and replacements. Without it: more than two and more than 20 % of what is "
 "recorded.",
 META_INT, SET(max_deletes), false},
{"max_gone", "NUMBER", NULL,
 "The same for recorded resources that are gone on the service, which smells of a wrong account or "
 "region.",
 META_INT, SET(max_gone), false},
{"parallelism", "NUMBER", NULL, "Changing calls under way at the same time, at most.",
 META_INT, SET(parallelism), false},
{"prune", "true|false", "false",
 "true: a resource whose section has vanished is deleted; false: it is listed as orphaned.",
 META_TRI, SET(prune), false},
{"region", "REGION", NULL, "Region that `${region}` stands for and whose endpoint is used.",
 META_TEXT, SET(region), false},
{"settle", "DURATION", "5m",
 "How long to wait before a purchase whose answer was lost counts as not made. Raise it (15m, 1h) in an account "
 "whose lists are seen to lag, or where a second purchase would be worse than a wait; only the resource whose answer was "
 "lost waits. Lowering it risks buying again what the list does not show yet.",
 META_DURATION, SET(settle_ms), false},
{"state", "FILE", "beside the manifest",
 "State file; its name ends in .state.json.", META_TEXT, SET(state), false},
{NULL, NULL, NULL, NULL, META_TEXT, 0, false},
};
/* clang-format on */

int meta_find(const struct meta_key *rows, const char *key)
{
	for (int i = 0; rows[i].key; i++)
		if (!strcmp(rows[i].key, key))
			return i;
	return -1;
}

void diag_twice(struct builder *bd, const struct raw_key *k, struct pos first)
{
	diag_error(bd->d, k->pos, "keep one of them",
	           "%s is given twice; the first one stands at %s:%u:%u", k->name, first.file,
	           first.line, first.col);
}

bool key_plain(struct builder *bd, const struct raw_key *k, bool warn_comment)
{
	size_t n = k->n, c;

	if (k->bad)
		return false;
	if (n >= 2 && (k->text[0] == '"' || k->text[0] == '\'') && k->text[n - 1] == k->text[0]) {
		diag_error(bd->d, raw_pos(k, 0), "quotes are literal here; remove them",
		           "%s: the value is wrapped in quotes", k->name);
		return false;
	}
	c = warn_comment && n && !strchr("{[@", k->text[0]) ? schema_inline_comment(k->text, n)
	                                                    : SIZE_MAX;
	if (c != SIZE_MAX)
		diag_warn(bd->d, raw_pos(k, c), NO_COMMENTS,
		          "%s: the `%c` and what follows are part of the value", k->name,
		          k->text[c]);
	return true;
}

/* Values -------------------------------------------------------------------------------------- */

static bool refuse(struct builder *bd, const struct raw_key *k, const char *text, const char *is_no,
                   const char *hint)
{
	if (schema_inline_comment(k->text, k->n) != SIZE_MAX)
		hint = NO_COMMENTS;
	diag_error(bd->d, raw_pos(k, 0), hint, "%s: `%s` %s", k->name,
	           text_safe_dup(&bd->tmp, text, 60), is_no);
	return false;
}

/* Number of text among "a|b|c", or -1. */
static int word_number(const char *words, const char *text)
{
	size_t n = strlen(text);

	for (int i = 0;; i++) {
		size_t len = strcspn(words, "|");

		if (len == n && !memcmp(words, text, n))
			return i;
		if (!words[len])
			return -1;
		words += len + 1;
	}
}

bool lifecycle_takes(const char *key, const char *word)
{
	for (const struct meta_key *row = lifecycle_keys; row->key; row++)
		if (text_eq(row->key, key))
			return word_number(row->values, word) >= 0;
	return false;
}

static const char *words_hint(struct builder *bd, const struct meta_key *row, const char *text)
{
	const char *names[8], *near;
	size_t n = 0;

	for (const char *w = row->values; n < 8; w += strlen(names[n - 1]) + 1) {
		names[n] = arena_strndup(&bd->tmp, w, strcspn(w, "|"));
		n++;
		if (!w[strlen(names[n - 1])])
			break;
	}
	near = nearest_of(bd, text, names, n);
	if (near)
		return arena_printf(&bd->tmp, "did you mean %s?", near);
	char *list = arena_strdup(&bd->tmp, row->values);
	for (char *p = list; *p; p++)
		if (*p == '|')
			*p = '/';
	return arena_printf(&bd->tmp, "write one of %s", list);
}

static bool set_bool(struct builder *bd, const struct raw_key *k, const char *text, bool *out)
{
	bool yes = text_ieq(text, "true") || text_ieq(text, "yes") || text_ieq(text, "on") ||
	           text_eq(text, "1");
	bool no = text_ieq(text, "false") || text_ieq(text, "no") || text_ieq(text, "off") ||
	          text_eq(text, "0");

	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return refuse(bd, k, text, "is neither `true` nor `false`",
		              yes  ? "booleans are `true` or `false`: write `true`"
		              : no ? "booleans are `true` or `false`: write `false`"
		                   : "write true or false");
	*out = yes;
	return true;
}

static bool all_words(struct builder *bd, const struct meta_key *row, const struct raw_key *k,
                      const char *text)
{
	const char *word;
	bool ok = true;

	for (size_t i = 0; (word = text_field(&bd->tmp, text, ',', i)); i++)
		if (!*word)
			ok = refuse(bd, k, text, "has an item without a name",
			            "one comma between two items");
		else if (word_number(row->values, word) < 0)
			ok = refuse(bd, k, word, "is none that can be skipped",
			            words_hint(bd, row, word));
	return ok;
}

bool meta_set(struct builder *bd, const struct meta_key *row, const struct raw_key *k,
              const char *text, void *base)
{
	char *field = (char *)base + row->at;
	bool positive = text_starts(row->key, "timeout_") || !strcmp(row->key, "deadline") ||
	                !strcmp(row->key, "parallelism");
	int64_t v;
	bool b = false;
	int w;

	switch (row->kind) {
	case META_TEXT:
		*(const char **)(void *)field = text;
		return true;
	case META_BOOL:
	case META_TRI:
		if (!set_bool(bd, k, text, &b))
			return false;
		if (row->kind == META_BOOL)
			*(bool *)(void *)field = b;
		else
			*(int *)(void *)field = b;
		return true;
	case META_FLAG:
	case META_CHOICE:
	case META_WORD:
		w = word_number(row->values, text);
		if (w < 0)
			return refuse(bd, k, text, "is not known", words_hint(bd, row, text));
		if (row->kind == META_FLAG)
			*(bool *)(void *)field = w == 1;
		else if (row->kind == META_CHOICE)
			*(unsigned *)(void *)field = (unsigned)w;
		else
			*(const char **)(void *)field = text;
		return true;
	case META_WORDS:
		if (!all_words(bd, row, k, text))
			return false;
		*(const char **)(void *)field = text;
		return true;
	case META_INT:
		if (!text_int(text, positive, INT_MAX_VALUE, &v))
			return refuse(bd, k, text,
			              positive ? "is no whole number from 1 to 1000000"
			                       : "is no whole number from 0 to 1000000",
			              NULL);
		*(int64_t *)(void *)field = v;
		return true;
	case META_DURATION:
		v = text_duration_ms(text);
		if (v < positive || v > DURATION_MAX_MS)
			return refuse(bd, k, text,
			              v == 0  ? "is too short"
			              : v > 0 ? "is more than a year"
			                      : "is no duration",
			              "write 90s, 25m or 2h");
		*(int64_t *)(void *)field = v;
		return true;
	case META_LIST:
		break;
	}
	return true;
}

/* [dtsbatch] ---------------------------------------------------------------------------------- */

void settings_collect(struct builder *bd, const struct block *blk)
{
	const char *names[32];
	size_t n = 0;

	for (; setting_keys[n].key; n++)
		names[n] = setting_keys[n].key;
	for (size_t i = 0; i < blk->n; i++) {
		const struct raw_key *k = &blk->keys[i];
		int row = meta_find(setting_keys, k->name);

		if (row < 0) {
			const char *near = nearest_of(bd, k->name, names, n);
			diag_error(bd->d, k->pos,
			           near ? arena_printf(&bd->tmp, "did you mean %s?", near) : NULL,
			           "[dtsbatch] has no setting %s", k->name);
		} else if (bd->settings[row]) {
			diag_twice(bd, k, bd->settings[row]->pos);
		} else {
			bd->settings[row] = k;
		}
	}
}

/* HOST, or http(s)://HOST[:PORT]; the address of an IPv6 host stands in brackets. */
static bool endpoint_ok(const char *s)
{
	const char *host = s;
	int64_t port;
	size_t n;

	if (text_starts(s, "https://"))
		host += 8;
	else if (text_starts(s, "http://"))
		host += 7;
	if (*host == '[') {
		n = strspn(host + 1, "0123456789abcdefABCDEF:.");
		if (!n || host[n + 1] != ']')
			return false;
		n += 2;
	} else {
		n = strspn(host,
		           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
	}
	if (!n)
		return false;
	if (host[n] == ':')
		return text_int(host + n + 1, 1, 65535, &port);
	return !host[n] || !strcmp(host + n, "/");
}

static void check_setting(struct builder *bd, const struct meta_key *row, const struct raw_key *k,
                          const char *text)
{
	if (!strcmp(row->key, "endpoint") && !endpoint_ok(text))
		refuse(bd, k, text, "is no endpoint", "write HOST or https://HOST[:PORT]");
	if (!strcmp(row->key, "state") && !text_ends(text, ".state.json"))
		refuse(bd, k, text, "is no name of a state file", "let it end in .state.json");
}

void settings_apply(struct builder *bd)
{
	struct scope sc = {.region = bd->b->region};
	struct settings *set = &bd->b->set;

	*set = (struct settings){.parallelism = -1,
	                         .settle_ms = -1,
	                         .max_changes = -1,
	                         .max_deletes = -1,
	                         .max_gone = -1,
	                         .deadline_ms = -1,
	                         .lock_timeout_ms = -1,
	                         .prune = -1};
	for (int i = 0; setting_keys[i].key; i++) {
		const struct meta_key *row = &setting_keys[i];
		const struct raw_key *k = bd->settings[i];
		const struct tpl *t = NULL;

		if (!strcmp(row->key,
		            /* batch_vars.c; without the command line it is the effective one */
		            "region")) {
			set->region = bd->o->region ? NULL : bd->b->region;
			continue;
		}
		if (!k || !k->n || !key_plain(bd, k, row->kind == META_TEXT))
			continue;
		if (memchr(k->text, '$', k->n)) {
			t = tpl_parse(bd, &bd->tmp, k, TPL_PLAIN, "a setting");
			if (!t)
				continue;
		}
		const char *text = expand_text(bd, k, t, &sc);
		if (text_empty(text))
			continue;
		check_setting(bd, row, k, text);
		meta_set(bd, row, k, text, set);
	}
}
