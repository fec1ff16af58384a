/*
 * Snapshot and journal as bytes: cut at every byte, every byte changed, the sectors of the last
 * write on disk in any combination. Never a crash, never a committed record lost without a
 * word: what cannot be repaired is refused.
 */
#include "state_fixture.h"

#define STEPS 8
#define RESERVE ((size_t)30000) /* no step lengthens the file: test_power.c looks at that */

struct shot { /* the files after a flush */
	struct buf snap, jour;
	char *sum; /* of what they hold */
};

static struct shot shots[STEPS];
static unsigned seed = 1;

static unsigned rnd(void)
{
	seed = seed * 1103515245u + 12345u;
	return seed >> 8 & 0xffffff;
}

/* NULL: refused. Else a digest of all records and open intents. */
static char *sum_of(const struct buf *snap, const char *jour, size_t n, size_t *torn)
{
	struct image s = {buf_str(snap), snap->n, snap->n > 0}, j = {jour, n, true};
	struct content c;
	struct load ld;
	struct buf text;
	uint8_t digest[32];
	char *hex = NULL;
	size_t count;
	const struct record *const *list;

	content_init(&c);
	if (load_images(&c, &s, &j, "x.state.json", "x.state.journal", &ld, &fx_err) == 0) {
		buf_init(&text, 1 << 24);
		buf_putc(&text, ' ');
		list = content_list(&c, &count);
		for (size_t i = 0; i < count; i++)
			encode_record(&text, &fx, list[i]);
		for (size_t i = 0; i < c.intents.n; i++)
			encode_intent_members(&text, &c.intents.v[i].i);
		hash_sha256(text.p, text.n, digest);
		buf_release(&text);
		hex = arena_alloc(&fx, 65);
		hash_hex(digest, 32, hex);
		if (torn)
			*torn = ld.torn;
	} else {
		assert_int_equal(fx_err.code, ERR_STATE_READ);
		assert_true(fx_err.hint[0]);
	}
	content_release(&c);
	return hex;
}

static void step(struct state *s, size_t k)
{
	struct intent i = {
		.address = "synchronization_job.b", .action = "CreateDtsInstance", .nonce = "n"};

	switch (k) {
	case 0:
		fx_put(s, 1, 1, 0);
		break;
	case 1:
		state_intent(s, &i);
		break;
	case 2:
		for (size_t n = 2; n < 5; n++)
			fx_put(s, n, 1, 100);
		break;
	case 3:
		fx_put(s, 5, 1, 1200); /* over a sector */
		break;
	case 4:
		state_del(s, "synchronization_job.j00002");
		state_outcome(s, 1, OUTCOME_DONE, NULL);
		break;
	case 5:
		fx_put(s, 1, 2, 450);
		fx_put(s, 6, 1, 300);
		break;
	case 6:
		state_intent(s, &i);
		break;
	default:
		fx_put(s, 3, 2, 20);
		fx_put(s, 7, 1, 700);
	}
}

/* with: on top of a snapshot, else the journal alone is the state */
static void take_shots(bool with)
{
	struct state_opts o = {.path = fx_path, .mode = STATE_WRITE, .reserve = RESERVE};
	struct state *s;

	if (with) {
		s = fx_open(STATE_WRITE);
		fx_put(s, 100, 1, 10);
		fx_put(s, 101, 1, 10);
		fx_close(s);
	}
	assert_int_equal(state_open(&s, &o, &fx_err), 0);
	for (size_t k = 0; k < STEPS; k++) {
		step(s, k);
		fx_flush(s);
		buf_init(&shots[k].snap, 1 << 24);
		if (with)
			assert_int_equal(sys_read_file(fx_path, &shots[k].snap), 0);
		fx_read(fx_file("x.state.journal"), &shots[k].jour);
		shots[k].sum = sum_of(&shots[k].snap, shots[k].jour.p, shots[k].jour.n, NULL);
		assert_non_null(shots[k].sum);
		if (k)
			assert_string_not_equal(shots[k].sum, shots[k - 1].sum);
	}
	state_abandon(s);
}

static int setup_alone(void **state)
{
	fx_setup(state);
	take_shots(false);
	return 0;
}

static int setup_with(void **state)
{
	fx_setup(state);
	take_shots(true);
	return 0;
}

static int teardown(void **state)
{
	for (size_t k = 0; k < STEPS; k++) {
		buf_release(&shots[k].snap);
		buf_release(&shots[k].jour);
	}
	return fx_teardown(state);
}

static size_t used(const struct buf *b)
{
	size_t n = b->n;

	while (n && b->p[n - 1] == '\0')
		n--;
	return n;
}

static void truncation_of_the_journal(void **state)
{
	const struct shot *last = &shots[STEPS - 1];

	(void)state;
	for (size_t n = 0; n < last->jour.n; n += n < used(&last->jour) + 100 ? 1 : 1 + n % 97)
		assert_null(sum_of(&last->snap, last->jour.p, n, NULL));
}

static void truncation_of_the_snapshot(void **state)
{
	const struct shot *last = &shots[STEPS - 1];

	(void)state;
	for (size_t n = 1; n < last->snap.n; n++) {
		struct buf cut = last->snap;

		cut.n = n;
		assert_null(sum_of(&cut, last->jour.p, last->jour.n, NULL));
	}
}

static void every_byte_of_the_journal(void **state)
{
	static const unsigned char masks[] = {0xff, 0x01};
	const struct shot *last = &shots[STEPS - 1];
	size_t end = used(&last->jour), refused = 0, kept = 0;

	(void)state;
	for (size_t k = 0; k < sizeof(masks); k++) {
		for (size_t i = 0; i < end + 100; i++) {
			char was = last->jour.p[i];
			char *sum;

			last->jour.p[i] = (char)(was ^ (char)masks[k]);
			sum = sum_of(&last->snap, last->jour.p, last->jour.n, NULL);
			last->jour.p[i] = was;
			if (sum && strcmp(sum, last->sum) != 0)
				fail_msg("byte %zu of %zu, mask %02x: a committed record is lost",
				         i, end, masks[k]);
			refused += !sum;
			kept += !!sum;
		}
	}
	print_message("           %zu changed bytes refused, %zu without consequence\n", refused,
	              kept);
	assert_true(refused >= sizeof(masks) * (end - 1));
}

static void every_byte_zeroed(void **state)
{
	const struct shot *last = &shots[STEPS - 1];
	size_t end = used(&last->jour);

	(void)state;
	for (size_t i = 0; i < end; i++) {
		char was = last->jour.p[i];
		char *sum;

		last->jour.p[i] = '\0';
		sum = sum_of(&last->snap, last->jour.p, last->jour.n, NULL);
		last->jour.p[i] = was;
		if (sum)
			assert_string_equal(sum, last->sum);
	}
}

static void every_byte_of_the_snapshot(void **state)
{
	static const unsigned char masks[] = {0xff, 0x20};
	const struct shot *last = &shots[STEPS - 1];

	(void)state;
	for (size_t k = 0; k < sizeof(masks); k++) {
		for (size_t i = 0; i < last->snap.n; i++) {
			char was = last->snap.p[i];

			last->snap.p[i] = (char)(was ^ (char)masks[k]);
			assert_null(sum_of(&last->snap, last->jour.p, last->jour.n, NULL));
			last->snap.p[i] = was;
		}
	}
}

/* The write of group k was under way: some of its sectors are on disk, others are not. */
static void sectors_in_any_combination(void **state)
{
	size_t before = 0, after = 0;

	(void)state;
	for (size_t k = 1; k < STEPS; k++) {
		const struct buf *old = &shots[k - 1].jour, *new = &shots[k].jour;
		size_t differ[64], n = 0;
		char *mix = arena_alloc(&fx, new->n);

		assert_int_equal(old->n, new->n);
		for (size_t at = 0; at < new->n; at += 512) {
			size_t len = new->n - at < 512 ? new->n - at : 512;

			if (memcmp(old->p + at, new->p + at, len) != 0)
				differ[n++] = at;
		}
		assert_in_range(n, 1, 10);
		for (unsigned set = 0; set < 1u << n; set++) {
			size_t torn = 0;
			char *sum;

			memcpy(mix, old->p, old->n);
			for (size_t i = 0; i < n; i++) {
				if (set >> i & 1)
					memcpy(mix + differ[i], new->p + differ[i],
					       new->n - differ[i] < 512 ? new->n - differ[i] : 512);
			}
			sum = sum_of(&shots[k].snap, mix, new->n, &torn);
			if (!sum)
				fail_msg("step %zu, sectors %x: %s", k, set, fx_err.msg);
			if (set + 1 == 1u << n) {
				assert_string_equal(sum, shots[k].sum);
				after++;
			} else {
				assert_string_equal(sum, shots[k - 1].sum);
				assert_true(!set || torn);
				before++;
			}
		}
	}
	print_message("           %zu torn writes dropped, %zu whole ones kept\n", before, after);
}

/*
 * The process was killed within the write: a prefix is there, with or without some of its
 * sectors.
 */
static void short_writes(void **state)
{
	(void)state;
	for (size_t k = 1; k < STEPS; k++) {
		const struct buf *old = &shots[k - 1].jour, *new = &shots[k].jour;
		size_t from = used(old), to = used(new);
		char *mix = arena_alloc(&fx, new->n);

		for (size_t cut = from; cut <= to; cut++) {
			for (int lossy = 0; lossy < 2; lossy++) {
				char *sum;

				memcpy(mix, old->p, old->n);
				memcpy(mix, new->p, cut);
				for (size_t at = (from + 511) / 512 * 512; lossy && at < cut;
				     at += 512) {
					if (rnd() & 1)
						memset(mix + at, 0,
						       cut - at < 512 ? cut - at : 512);
				}
				sum = sum_of(&shots[k].snap, mix, new->n, NULL);
				if (!sum)
					fail_msg("step %zu, %zu of %zu bytes: %s", k, cut - from,
					         to - from, fx_err.msg);
				/* The line end alone may be missing. */
				if (strcmp(sum, shots[k - 1].sum) != 0) {
					assert_true(cut + 1 >= to);
					assert_string_equal(sum, shots[k].sum);
				}
			}
		}
	}
}

/* What a design sentence says: damage behind the last valid commit is dropped. */
static void garbage_behind_the_last_commit(void **state)
{
	const struct shot *last = &shots[STEPS - 1];
	size_t end = used(&last->jour), torn = 0;

	(void)state;
	memcpy(last->jour.p + end, "garbage\n", 8);
	assert_string_equal(sum_of(&last->snap, last->jour.p, last->jour.n, &torn), last->sum);
	assert_int_equal(torn, 8);
}

/* Is any line of the last group still whole? */
static bool last_group_speaks(const char *p, size_t n)
{
	struct journal_line l;

	for (size_t off = used(&shots[STEPS - 2].jour); off < n; off++) {
		if (journal_line_at(p, n, off, &l))
			return true;
	}
	return false;
}

/* A block of the file stands somewhere else, or twice. */
static void moved_blocks(void **state)
{
	const struct shot *last = &shots[STEPS - 1];
	size_t end = used(&last->jour);
	char *mix = arena_alloc(&fx, last->jour.n);

	(void)state;
	for (int i = 0; i < 4000; i++) {
		size_t n = 1 + rnd() % 900, from = rnd() % end, to = rnd() % end;
		char *sum;

		if (n > last->jour.n - from)
			n = last->jour.n - from;
		if (n > last->jour.n - to)
			n = last->jour.n - to;
		memcpy(mix, last->jour.p, last->jour.n);
		memcpy(mix + to, last->jour.p + from, n);
		sum = sum_of(&last->snap, mix, last->jour.n, NULL);
		if (sum && strcmp(sum, last->sum) != 0) {
			/*
			 * Dropped as a torn write: NULs over its end, or nothing of the last
			 * group left that says what it was.
			 */
			assert_string_equal(sum, shots[STEPS - 2].sum);
			assert_true(memchr(mix, '\0', end) ||
			            !last_group_speaks(mix, last->jour.n));
		}
	}
}

static void foreign_records_do_not_count(void **state)
{
	const struct shot *last = &shots[STEPS - 1];
	struct journal_info ji;
	struct journal_line l;
	size_t end = used(&last->jour);

	(void)state;
	assert_int_equal(journal_scan(last->jour.p, last->jour.n, "j", &ji, &fx_err), 0);
	assert_int_equal(ji.end, end);
	assert_true(journal_line_at(last->jour.p, last->jour.n, ji.first, &l));
	/* The first line again, at the end: whole, but of a group long past. */
	memcpy(last->jour.p + end, last->jour.p + ji.first, l.next - ji.first);
	assert_null(sum_of(&last->snap, last->jour.p, last->jour.n, NULL));
}

#define A(f) cmocka_unit_test_setup_teardown(f, setup_alone, teardown)
#define W(f) cmocka_unit_test_setup_teardown(f, setup_with, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		A(truncation_of_the_journal),
		W(truncation_of_the_snapshot),
		A(every_byte_of_the_journal),
		W(every_byte_of_the_journal),
		A(every_byte_zeroed),
		W(every_byte_of_the_snapshot),
		A(sectors_in_any_combination),
		W(sectors_in_any_combination),
		A(short_writes),
		A(garbage_behind_the_last_commit),
		A(moved_blocks),
		W(foreign_records_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
