/* The life of a state: what is kept, what is refused, who may write. */
#include "state_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

static void nothing_written_when_nothing_changed(void **state)
{
	struct state *s = fx_open(STATE_WRITE);

	(void)state;
	assert_false(state_exists(s));
	assert_int_equal(strlen(state_lineage(s)), 32);
	fx_close(s);
	assert_false(fx_exists("x.state.json"));
	assert_false(fx_exists("x.state.journal"));
	assert_false(fx_exists("x.state.key"));
	s = fx_open(STATE_READ);
	assert_false(state_exists(s));
	fx_close(s);
}

static void everything_comes_back(void **state)
{
	static const char *const files[] = {"b.ini", "a.ini"};
	struct state *s = fx_open(STATE_WRITE), *reader;
	struct state_home h = {"123", "cn-hangzhou", "dts.cn-hangzhou.aliyuncs.com"};
	struct record *r = fx_record(&fx, 7, 1, 10);
	const struct record *back;
	const char *const *list, *lineage = arena_strdup(&fx, state_lineage(s));
	struct stat st;
	size_t n;

	(void)state;
	r->origin = ORIGIN_ADOPTED;
	r->protect = r->destroy_forgets = r->paused_by_us = true;
	r->gone_ms = 1700000000123;
	r->attrs[attr_of(&type_job, "reserve")] = "not \"JSON\"\n\x01 \xe4\xb8\xad";
	state_set_home(s, &h);
	state_set_files(s, files, 2);
	state_set_orphans(s, "0123abcd");
	state_put(s, r);
	fx_put(s, 3, 1, 0);
	state_del(s, "synchronization_job.j00003");
	assert_true(state_dirty(s));
	fx_flush(s);
	assert_false(state_dirty(s));
	assert_true(state_changed(s));
	assert_true(fx_exists("x.state.journal"));
	reader = fx_open(STATE_READ); /* from the journal alone */
	assert_string_equal(state_orphans(reader), "0123abcd");
	assert_true(record_equal(state_get(reader, r->address), r));
	fx_close(reader);
	fx_close(s);
	assert_false(fx_exists("x.state.journal"));
	assert_int_equal(stat(fx_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(fx_file("x.state.key"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	s = fx_open(STATE_WRITE);
	assert_int_equal(state_serial(s), 1);
	assert_string_equal(state_lineage(s), lineage);
	assert_string_equal(state_home(s)->account, "123");
	assert_string_equal(state_home(s)->endpoint, h.endpoint);
	list = state_files(s, &n);
	assert_int_equal(n, 2);
	assert_string_equal(list[0], "a.ini");
	assert_string_equal(state_orphans(s), "0123abcd");
	state_list(s, &n);
	assert_int_equal(n, 1);
	back = state_get(s, "synchronization_job.j00007");
	assert_non_null(back);
	assert_true(record_equal(back, r));
	assert_int_equal(back->updated_ms, r->updated_ms);
	assert_non_null(state_fp_key(s));
	/* The same again is no change. */
	state_put(s, r);
	state_set_home(s, &h);
	state_set_files(s, files, 2);
	state_set_orphans(s, "0123abcd");
	assert_false(state_changed(s));
	state_set_orphans(s, NULL);
	assert_true(state_changed(s));
	fx_close(s);
	s = fx_open(STATE_READ);
	assert_int_equal(state_serial(s), 2);
	assert_null(state_orphans(s));
	fx_close(s);
}

static void snapshot_is_json_with_a_resource_per_line(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct buf b;
	struct json *v;
	const struct json *first;
	size_t lines = 0;

	(void)state;
	fx_put(s, 2, 1, 3);
	fx_put(s, 1, 1, 3);
	fx_close(s);
	fx_read(fx_path, &b);
	v = json_parse(&fx, b.p, b.n, NULL);
	assert_non_null(v);
	assert_int_equal(json_get(v, "format_version")->i, 1);
	first = json_get(v, "resources")->child;
	assert_string_equal(json_str(first, "address"), "synchronization_job.j00001");
	assert_int_equal(json_get(json_get(first, "attrs"), "db_list")->type, JSON_OBJECT);
	for (char *at = b.p; (at = strstr(at, "\n{\"address\":")); at++)
		lines++;
	assert_int_equal(lines, 2);
	buf_release(&b);
}

static void secrets_never_reach_the_disk(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct record *r = fx_record(&fx, 1, 1, 0);
	struct buf b;

	(void)state;
	r->attrs[attr_of(&type_job, "source_endpoint_password")] = "hunter2-secret";
	state_put(s, r);
	fx_flush(s);
	fx_read(fx_file("x.state.journal"), &b);
	assert_null(memmem(b.p, b.n, "hunter2", 7));
	buf_release(&b);
	fx_close(s);
	fx_read(fx_path, &b);
	assert_null(memmem(b.p, b.n, "hunter2", 7));
	buf_release(&b);
}

static void newer_attributes_are_kept(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct record *r = fx_record(&fx, 1, 1, 0);

	(void)state;
	r->extra = "{\"from_the_future\":{\"a\":1},\"other\":\"x\"}";
	state_put(s, r);
	fx_close(s);
	s = fx_open(STATE_WRITE);
	assert_string_equal(state_get(s, r->address)->extra, r->extra);
	fx_put(s, 2, 1, 0);
	fx_close(s);
	s = fx_open(STATE_READ);
	assert_string_equal(state_get(s, r->address)->extra, r->extra);
	fx_close(s);
}

static const struct json *parsed(const char *text)
{
	const struct json *v = json_parse(&fx, text, strlen(text), NULL);

	assert_non_null(v);
	return v;
}

static void intents_live_until_settled(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct intent i = {.address = "synchronization_job.a",
	                   .action = "CreateDtsInstance",
	                   .nonce = "n1",
	                   .wall_ms = 1764090720123};
	const struct intent *open;
	uint64_t one, two;
	size_t n;

	(void)state;
	i.detail = parsed("{\"seen\":[\"dts1\",\"dts2\"]}");
	one = state_intent(s, &i);
	two = state_intent(s, &i);
	assert_true(two > one);
	fx_flush(s);
	state_outcome(s, one, OUTCOME_DONE, NULL);
	state_outcome(s, two, OUTCOME_UNKNOWN, "cut \x1b off");
	i.detail = parsed("{\"seen\":[\"dts1\"],\"ended\":7}");
	state_amend(s, two, i.detail);
	state_amend(s, one, parsed("{}")); /* settled: nothing to add */
	open = state_intents(s, &n);
	assert_int_equal(n, 1);
	assert_int_equal(open[0].id, two);
	fx_flush(s);
	state_abandon(s); /* as if it died here */

	s = fx_open(STATE_READ);
	open = state_intents(s, &n);
	assert_int_equal(n, 1);
	assert_int_equal(open[0].id, two);
	assert_int_equal(json_get(open[0].detail, "ended")->i, 7);
	assert_string_equal(open[0].address, i.address);
	assert_string_equal(open[0].nonce, i.nonce);
	assert_true(open[0].wall_ms == i.wall_ms);
	fx_close(s);
	s = fx_open(STATE_WRITE);
	fx_close(s);
	s = fx_open(STATE_WRITE);
	open = state_intents(s, &n);
	assert_int_equal(n, 1);
	assert_int_equal(open[0].id, two);
	assert_string_equal(open[0].nonce, "n1");
	assert_int_equal(open[0].wall_ms, i.wall_ms);
	assert_true(json_equal(open[0].detail, i.detail));
	assert_true(state_intent(s, &i) > two);
	state_outcome(s, two, OUTCOME_FORGOTTEN, NULL);
	fx_close(s);
	s = fx_open(STATE_READ);
	open = state_intents(s, &n);
	assert_int_equal(n, 1);
	assert_true(open[0].id > two);
	fx_close(s);
}

static void many_intents_stay_small(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct intent i = {.address = "synchronization_job.a", .action = "ConfigureDtsJob"};
	const struct intent *open;
	uint64_t first = state_intent(s, &i);
	size_t n;

	(void)state;
	i.detail = parsed("{\"fill\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}");
	for (int k = 0; k < 5000; k++) {
		uint64_t id = state_intent(s, &i);

		if (k % 50 == 0)
			fx_flush(s);
		state_outcome(s, id, OUTCOME_DONE, NULL);
	}
	fx_flush(s);
	open = state_intents(s, &n);
	assert_int_equal(n, 1);
	assert_int_equal(open[0].id, first);
	assert_string_equal(open[0].action, "ConfigureDtsJob");
	fx_close(s);
}

static void records_of_the_start_outlive_their_replacement(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	const struct record *old;

	(void)state;
	fx_put(s, 1, 1, 0);
	fx_close(s);
	s = fx_open(STATE_WRITE);
	old = state_get(s, "synchronization_job.j00001");
	fx_put(s, 1, 2, 0);
	fx_put(s, 1, 3, 0);
	state_del(s, "synchronization_job.j00001");
	fx_put(s, 1, 4, 0);
	fx_put(s, 1, 5, 0);
	assert_string_equal(old->attrs[attr_of(&type_job, "dts_job_name")], "name-1-1");
	fx_close(s);
}

/* ---- what is refused ---- */

static void refuse_text(const char *text, size_t n, const char *part)
{
	struct state *s;
	struct buf b;

	for (int mode = STATE_READ; mode <= STATE_WRITE; mode++) {
		fx_write(fx_path, text, n);
		assert_int_equal(fx_try(&s, (enum state_mode)mode), -1);
		assert_int_equal(fx_err.code, ERR_STATE_READ);
		assert_has(fx_err.msg, fx_path);
		assert_has(fx_err.msg, part);
		assert_has(fx_err.hint, "state verify");
		if (!strcmp(part, "empty") || !strcmp(part, "NUL"))
			assert_has(fx_err.hint, "x.state.journal");
		fx_read(fx_path, &b);
		assert_int_equal(b.n, n);
		assert_memory_equal(buf_str(&b), text, n);
		buf_release(&b);
	}
}

static void damage_is_no_first_run(void **state)
{
	static const char nuls[4096];
	struct state *s;
	struct buf b;

	(void)state;
	refuse_text("", 0, "empty");
	refuse_text(nuls, sizeof(nuls), "NUL");
	refuse_text("hello\n", 6, "cut off");
	unlink(fx_path);
	s = fx_open(STATE_WRITE);
	fx_put(s, 1, 1, 0);
	fx_put(s, 2, 1, 0);
	fx_close(s);
	fx_read(fx_path, &b);
	refuse_text(b.p, b.n - 100, "cut off");
	b.p[b.n / 2] ^= 1;
	refuse_text(b.p, b.n, "");
	buf_release(&b);
}

static void hand_edit_is_explained(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct buf b;
	char *at;

	(void)state;
	fx_put(s, 1, 1, 0);
	fx_close(s);
	fx_read(fx_path, &b);
	at = strstr(b.p, "name-1-1");
	at[7] = '2';
	refuse_text(b.p, b.n, "edited or merged");
	buf_release(&b);
}

static void conflict_markers_are_named(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct buf b, c;
	const char *at;
	unsigned line = 1;

	(void)state;
	fx_put(s, 1, 1, 0);
	fx_put(s, 2, 1, 0);
	fx_close(s);
	fx_read(fx_path, &b);
	at = strstr(b.p, "{\"address\"");
	for (const char *p = b.p; p < at; p++)
		line += *p == '\n';
	buf_init(&c, 1 << 20);
	buf_add(&c, b.p, (size_t)(at - b.p));
	buf_puts(&c, "<<<<<<< HEAD\n");
	buf_add(&c, at, (size_t)(strchr(at, '\n') + 1 - at));
	buf_puts(&c, "=======\n");
	buf_add(&c, at, (size_t)(strchr(at, '\n') + 1 - at));
	buf_puts(&c, ">>>>>>> other-branch\n");
	buf_puts(&c, strchr(at, '\n') + 1);
	refuse_text(
		c.p, c.n,
		arena_printf(&fx, "line %u: conflict marker of a version control system", line));
	assert_has(fx_err.msg, "HEAD");
	assert_has(fx_err.msg, "other-branch");
	buf_release(&b);
	buf_release(&c);
}

/* text with a check sum that fits */
static void sealed(struct buf *b, const char *text)
{
	buf_init(b, 1 << 20);
	buf_puts(b, text);
	buf_printf(b, "\"crc32c\":\"%08x\"\n}\n", hash_crc32c(0, b->p, b->n));
}

static void newer_format_is_named(void **state)
{
	struct state *s;
	struct buf b;

	(void)state;
	sealed(&b, "{\n\"format_version\":2,\n\"whatever\":[],\n");
	fx_write(fx_path, b.p, b.n);
	assert_int_equal(fx_try(&s, STATE_WRITE), -1);
	assert_int_equal(fx_err.code, ERR_STATE_READ);
	assert_has(fx_err.msg, "format_version 2 is newer");
	buf_release(&b);
}

static void sealed_nonsense_is_refused(void **state)
{
#define HEAD                                                                                       \
	"{\n\"format_version\":1,\n\"lineage\":\"0123456789abcdef0123456789abcdef\",\n"            \
	"\"serial\":1,\n\"simulated\":false,\n\"next_intent\":1,\n"
#define LISTS "\"intents\":[\n],\n\"resources\":[\n"
	static const char *const texts[] = {
		"{\n\"format_version\":1,\n",
		"{\n\"format_version\":1,\n" LISTS "],\n",
		HEAD "\"files\":[],\n" LISTS "{\"address\":\"a\"}\n],\n",
		HEAD "\"files\":[1],\n" LISTS "],\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct state *s;
		struct buf b;

		sealed(&b, texts[i]);
		fx_write(fx_path, b.p, b.n);
		assert_int_equal(fx_try(&s, STATE_READ), -1);
		assert_int_equal(fx_err.code, ERR_STATE_READ);
		buf_release(&b);
	}
}

static void simulated_and_real_do_not_mix(void **state)
{
	struct state_opts o = {.path = fx_path, .mode = STATE_WRITE, .simulated = true};
	struct state *s;

	(void)state;
	assert_int_equal(state_open(&s, &o, &fx_err), 0);
	fx_put(s, 1, 1, 0);
	fx_close(s);
	assert_int_equal(fx_try(&s, STATE_WRITE), -1);
	assert_int_equal(fx_err.code, ERR_STATE_READ);
	assert_has(fx_err.msg, "simulation");
	unlink(fx_path);
	s = fx_open(STATE_WRITE);
	fx_put(s, 1, 1, 0);
	fx_close(s);
	o.mode = STATE_READ;
	assert_int_equal(state_open(&s, &o, &fx_err), -1);
	assert_int_equal(fx_err.code, ERR_STATE_READ);
}

static void bad_places_are_refused_before_anything(void **state)
{
	struct state_opts o = {.path = fx_file("x.json"), .mode = STATE_WRITE};
	struct state *s;

	(void)state;
	assert_int_equal(state_open(&s, &o, &fx_err), -1);
	assert_int_equal(fx_err.code, ERR_USAGE);
	o.path = fx_file("missing/x.state.json");
	assert_int_equal(state_open(&s, &o, &fx_err), -1);
	assert_int_equal(fx_err.code, ERR_STATE_CREATE);
	assert_has(fx_err.msg, "missing");
	o.mode = STATE_READ;
	assert_int_equal(state_open(&s, &o, &fx_err), 0);
	assert_false(state_exists(s));
	fx_close(s);
	assert_int_equal(mkdir(fx_path, 0700), 0);
	assert_int_equal(fx_try(&s, STATE_WRITE), -1);
	assert_int_equal(fx_err.code, ERR_STATE_CREATE);
	assert_has(fx_err.msg, "directory");
	rmdir(fx_path);
	if (geteuid() == 0) {
		fx_write(fx_path, "x", 1);
		assert_int_equal(chown(fx_path, 1234, 1234), 0);
		assert_int_equal(fx_try(&s, STATE_WRITE), -1);
		assert_int_equal(fx_err.code, ERR_STATE_WRITE);
		assert_has(fx_err.msg, "1234");
		assert_has(fx_err.hint, "chown");
	}
}

/* ---- key ---- */

static void lost_key_makes_secrets_unverifiable_once(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	size_t pw = attr_of(&type_job, "source_endpoint_password"), n;
	uint8_t old[32];

	(void)state;
	fx_put(s, 1, 1, 0);
	memcpy(old, state_fp_key(s), 32);
	fx_close(s);
	s = fx_open(STATE_READ);
	assert_memory_equal(state_fp_key(s), old, 32);
	assert_string_equal(state_get(s, "synchronization_job.j00001")->attrs[pw], FP);
	fx_close(s);
	unlink(fx_file("x.state.key"));

	s = fx_open(STATE_READ);
	assert_null(state_fp_key(s));
	/* that there was one is still known, or it would look like a key added today */
	assert_string_equal(state_get(s, "synchronization_job.j00001")->attrs[pw], FP_MARK);
	assert_has(state_warnings(s, &n)[0], "cannot be verified");
	fx_close(s);
	assert_false(fx_exists("x.state.key"));

	s = fx_open(STATE_WRITE);
	assert_non_null(state_fp_key(s));
	assert_memory_not_equal(state_fp_key(s), old, 32);
	assert_string_equal(state_get(s, "synchronization_job.j00001")->attrs[pw], FP_MARK);
	state_warnings(s, &n);
	assert_int_equal(n, 1);
	fx_close(s);
	s = fx_open(STATE_WRITE);
	state_warnings(s, &n);
	assert_int_equal(n, 0);
	fx_close(s);
}

/* ---- links ---- */

static void link_stays_and_its_target_is_written(void **state)
{
	struct state_opts o = {.path = fx_file("work/x.state.json"), .mode = STATE_WRITE};
	struct state *s, *t;
	struct stat st;

	(void)state;
	mkdir(fx_file("real"), 0700);
	mkdir(fx_file("work"), 0700);
	assert_int_equal(symlink("../real/x.state.json", o.path),
	                 0); /* the target does not exist yet */
	assert_int_equal(state_open(&s, &o, &fx_err), 0);
	fx_put(s, 1, 1, 0);
	o.path = fx_file("real/x.state.json");
	assert_int_equal(state_open(&t, &o, &fx_err), -1);
	assert_int_equal(fx_err.code, ERR_LATER);
	assert_has(fx_err.msg, arena_printf(&fx, "process %ld", (long)getpid()));
	fx_close(s);
	assert_int_equal(lstat(fx_file("work/x.state.json"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_true(fx_exists("real/x.state.json"));
	assert_true(fx_exists("real/x.state.key"));
	assert_true(fx_exists("real/x.state.lock"));
	assert_int_equal(unlink(fx_file("work/x.state.json")), 0);
	assert_int_equal(rmdir(fx_file("work")), 0); /* nothing else was in it */
}

static void names_for_simulation(void **state)
{
	(void)state;
	assert_string_equal(state_sim_path(&fx, "a/m.state.json"), "a/m.sim.state.json");
	assert_string_equal(state_sim_path(&fx, "m.sim.state.json"), "m.sim.state.json");
	assert_string_equal(state_world_path(&fx, "a/m.sim.state.json"), "a/m.sim.world.json");
	assert_string_equal(state_world_path(&fx, "m.state.json"), "m.sim.world.json");
}

/* ---- lock ---- */

static void second_process_is_told_the_holder(void **state)
{
	int ready[2], done[2];
	struct state *s;
	struct state_opts o = {.path = fx_path, .mode = STATE_WRITE, .lock_timeout_ms = 250};
	char c = 'x';
	int64_t t;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready) | pipe(done), 0);
	pid = fork();
	if (pid == 0) {
		if (fx_try(&s, STATE_WRITE) < 0 || write(ready[1], &c, 1) != 1 ||
		    read(done[0], &c, 1) != 1)
			_exit(1);
		_exit(0); /* dies with the lock held */
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	t = sys_now_ms();
	assert_int_equal(state_open(&s, &o, &fx_err), -1);
	assert_true(sys_now_ms() - t >= 200);
	assert_int_equal(fx_err.code, ERR_LATER);
	assert_has(fx_err.msg, arena_printf(&fx, "process %ld on ", (long)pid));
	assert_has(fx_err.msg, "apply test");
	s = fx_open(STATE_READ); /* readers do not care, but may ask */
	assert_has(state_holder(s, &fx), arena_printf(&fx, "process %ld on ", (long)pid));
	fx_close(s);
	assert_int_equal(write(done[1], &c, 1), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	s = fx_open(STATE_READ); /* nor is it named */
	assert_null(state_holder(s, &fx));
	fx_close(s);
	s = fx_open(STATE_WRITE); /* a dead holder never blocks */
	assert_null(state_holder(s, &fx));
	fx_close(s);
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(done[i]);
	}
}

static void forked_child_does_not_keep_the_lock(void **state)
{
	int life[2];
	struct state *s = fx_open(STATE_WRITE);
	char c = 'x';
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(life), 0);
	pid = fork();
	if (pid == 0) {
		close(life[1]);
		_exit(read(life[0], &c, 1) != 0);
	}
	fx_close(s);
	s = fx_open(STATE_WRITE); /* closed while the child has the descriptors, too */
	pid = fork();
	if (pid == 0) {
		if (fork() == 0) { /* the simulator; its parent is killed */
			state_detach(s);
			close(life[1]);
			_exit(read(life[0], &c, 1) != 0);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(fx_try(&s, STATE_WRITE), -1); /* still ours */
	state_abandon(s);
	close(life[1]);
	close(life[0]);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void two_writers_never_lose_a_record(void **state)
{
	struct state *s;
	size_t n;
	pid_t pid[4];

	(void)state;
	for (size_t p = 0; p < 4; p++) {
		pid[p] = fork();
		if (pid[p] == 0) {
			struct state_opts o = {
				.path = fx_path, .mode = STATE_WRITE, .lock_timeout_ms = 60000};

			for (size_t i = 0; i < 5; i++) {
				if (state_open(&s, &o, &fx_err) < 0)
					_exit(1);
				fx_put(s, 10 * p + i, 1, 100);
				if (i % 2 ? state_close(s, &fx_err) : state_flush(s, &fx_err))
					_exit(2);
				if (i % 2 == 0)
					state_abandon(s);
			}
			_exit(0);
		}
	}
	for (size_t p = 0; p < 4; p++) {
		int st;

		assert_int_equal(waitpid(pid[p], &st, 0), pid[p]);
		assert_int_equal(st, 0);
	}
	s = fx_open(STATE_WRITE);
	state_list(s, &n);
	assert_int_equal(n, 20);
	fx_close(s);
}

static void reader_sees_the_last_commit(void **state)
{
	struct state *s = fx_open(STATE_WRITE), *r;

	(void)state;
	fx_put(s, 1, 1, 0);
	fx_flush(s);
	fx_put(s, 2, 1, 0);
	r = fx_open(STATE_READ);
	assert_true(state_exists(r));
	assert_non_null(state_get(r, "synchronization_job.j00001"));
	assert_null(state_get(r, "synchronization_job.j00002"));
	fx_close(r);
	fx_close(s);
}

static void readers_live_beside_a_busy_writer(void **state)
{
	int st;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		for (size_t k = 0; k < 40; k++) {
			struct state *s;

			if (fx_try(&s, STATE_WRITE) < 0)
				_exit(1);
			for (size_t i = 0; i < 5; i++) {
				fx_put(s, i, k + 1, 3000);
				if (state_flush(s, &fx_err) < 0)
					_exit(2);
			}
			if (state_close(s, &fx_err) < 0)
				_exit(3);
		}
		_exit(0);
	}
	while (waitpid(pid, &st, WNOHANG) == 0) {
		struct state *r = fx_open(STATE_READ);
		size_t n;

		state_list(r, &n);
		assert_true(n <= 5);
		if (state_serial(r) > 1)
			assert_int_equal(n, 5);
		fx_close(r);
	}
	assert_int_equal(st, 0);
}

/* ---- under our feet ---- */

static void replaced_journal_stops_the_run(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct intent i = {.address = "synchronization_job.a", .action = "CreateDtsInstance"};
	uint64_t id = state_intent(s, &i);
	size_t n;

	(void)state;
	fx_flush(s);
	rename(fx_file("x.state.journal"), fx_file("away"));
	fx_put(s, 1, 1, 0);
	assert_int_equal(state_flush(s, &fx_err), -1);
	assert_int_equal(fx_err.code, ERR_STATE_WRITE);
	assert_has(fx_err.msg,
	           arena_printf(&fx, "%d (CreateDtsInstance synchronization_job.a)", (int)id));
	memset(&fx_err, 0, sizeof(fx_err));
	assert_int_equal(state_flush(s, &fx_err), -1); /* for ever */
	assert_int_equal(state_close(s, &fx_err), -1);
	assert_has(fx_err.msg, "is saved in");
	/* What memory held is in the snapshot, the open question with it. */
	s = fx_open(STATE_READ);
	assert_non_null(state_get(s, "synchronization_job.j00001"));
	state_intents(s, &n);
	assert_int_equal(n, 1);
	fx_close(s);
}

/* Somebody else's journal stands there: what he works with is not touched. */
static void a_lost_journal_is_rescued_beside(void **state)
{
	struct state *s = fx_open(STATE_WRITE);

	(void)state;
	fx_put(s, 1, 1, 0);
	fx_flush(s);
	fx_write(fx_file("new"), "x", 1);
	rename(fx_file("new"), fx_file("x.state.journal"));
	fx_put(s, 2, 1, 0);
	assert_int_equal(state_close(s, &fx_err), -1);
	assert_has(fx_err.msg, "x.rescued.state.json");
	assert_false(fx_exists("x.state.json"));
	unlink(fx_file("x.state.journal"));
	assert_int_equal(fx_try(&s, STATE_WRITE), -1);
	assert_int_equal(fx_err.code, ERR_STATE_READ);
	rename(fx_file("x.rescued.state.json"), fx_path);
	s = fx_open(STATE_WRITE);
	assert_non_null(state_get(s, "synchronization_job.j00002"));
	fx_close(s);
}

/* The memory of the host: an older snapshot, a missing one, a lost journal; and what must not look like it. */
static void the_newest_is_remembered(void **state)
{
	struct state_opts o = {.path = fx_path, .mode = STATE_WRITE};
	struct state *s = fx_open(STATE_WRITE);
	struct buf old, key;
	size_t n;

	(void)state;
	fx_put(s, 1, 1, 0);
	fx_close(s);
	fx_read(fx_path, &old);
	s = fx_open(STATE_WRITE);
	fx_put(s, 2, 1, 0);
	fx_flush(s);
	fx_read(fx_file("x.state.key"), &key);
	state_abandon(s); /* as if killed */
	unlink(fx_file("x.state.journal"));
	assert_int_equal(fx_try(&s, STATE_WRITE), -1);
	assert_has(fx_err.msg, "lacks what the last run on this host did");
	/* Reading says so and goes on. */
	s = fx_open(STATE_READ);
	state_warnings(s, &n);
	assert_int_equal(n, 1);
	fx_close(s);
	/* Passed over and nothing written: not forgotten. Accepted: forgotten. */
	o.last = LAST_PASSED;
	assert_int_equal(state_open(&s, &o, &fx_err), 0);
	fx_close(s);
	assert_int_equal(fx_try(&s, STATE_WRITE), -1);
	o.last = LAST_ACCEPTED;
	assert_int_equal(state_open(&s, &o, &fx_err), 0);
	fx_close(s);
	s = fx_open(STATE_WRITE);
	fx_put(s, 3, 1, 0);
	fx_close(s);
	fx_write(fx_path, old.p, old.n);
	assert_int_equal(fx_try(&s, STATE_WRITE), -1);
	/* Without the key nothing is remembered, and a key of before remembers less. */
	unlink(fx_file("x.state.key"));
	s = fx_open(STATE_READ);
	fx_close(s);
	buf_release(&old);
	buf_release(&key);
}

/* A journal that was begun and holds nothing is replaced by the next run and missed by none. */
static void an_empty_journal_is_not_missed(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct buf head;

	(void)state;
	fx_put(s, 1, 1, 0);
	fx_close(s);
	s = fx_open(STATE_WRITE);
	fx_read(fx_file("x.state.journal"), &head);
	fx_put(s, 2, 1, 0);
	fx_flush(s);
	state_abandon(s);
	/* Killed between the mark and the first commit. */
	fx_write(fx_file("x.state.journal"), head.p, head.n);
	for (int i = 0; i < 2; i++) {
		s = fx_open(STATE_WRITE);
		fx_close(s);
	}
	buf_release(&head);
}

static void replaced_snapshot_is_not_overwritten(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct buf b;

	(void)state;
	fx_put(s, 1, 1, 0);
	fx_close(s);
	fx_read(fx_path, &b);
	s = fx_open(STATE_WRITE);
	fx_put(s, 2, 1, 0);
	fx_flush(s);
	unlink(fx_path);
	fx_write(fx_path, "from a checkout", 15);
	assert_int_equal(state_end(s, &fx_err), -1);
	assert_false(state_saved(s) || state_in_journal(s)); /* the next run does not fold it in */
	assert_int_equal(state_close(s, &fx_err), 0);
	assert_int_equal(fx_err.code, ERR_STATE_WRITE);
	assert_true(fx_exists("x.state.journal"));
	/* Put back as it was, the run's work is there. */
	fx_write(fx_path, b.p, b.n);
	s = fx_open(STATE_WRITE);
	assert_non_null(state_get(s, "synchronization_job.j00002"));
	fx_close(s);
	buf_release(&b);
}

static void a_full_disk_at_the_end_leaves_the_journal(void **state)
{
	struct state *s = fx_open(STATE_WRITE);

	(void)state;
	fx_put(s, 1, 1, 0);
	fx_flush(s);
	sys_fault_arm("rename:1:ENOSPC:forever");
	assert_int_equal(state_end(s, &fx_err), -1);
	sys_fault_arm(NULL);
	assert_has(fx_err.hint, "make room, then run again");
	assert_false(state_saved(s));
	assert_true(state_in_journal(s));
	assert_int_equal(state_close(s, &fx_err), 0);
	assert_false(fx_exists("x.state.json"));
	s = fx_open(STATE_WRITE);
	assert_non_null(state_get(s, "synchronization_job.j00001"));
	assert_int_equal(state_end(s, &fx_err), 0);
	assert_true(state_saved(s) && !state_in_journal(s));
	fx_close(s);
}

static void removed_or_older_snapshot_is_noticed(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct buf one, two;

	(void)state;
	fx_put(s, 1, 1, 0);
	fx_close(s);
	fx_read(fx_path, &one);
	s = fx_open(STATE_WRITE);
	fx_put(s, 2, 1, 0);
	fx_close(s);
	fx_read(fx_path, &two);
	s = fx_open(STATE_WRITE);
	fx_put(s, 3, 1, 0);
	fx_flush(s);
	state_abandon(s);
	unlink(fx_path);
	assert_int_equal(fx_try(&s, STATE_WRITE), -1);
	assert_int_equal(fx_err.code, ERR_STATE_READ);
	assert_has(fx_err.msg, "removed");
	fx_write(fx_path, one.p, one.n);
	assert_int_equal(fx_try(&s, STATE_READ), -1);
	assert_has(fx_err.msg, "older");
	fx_write(fx_path, two.p, two.n);
	s = fx_open(STATE_WRITE);
	assert_non_null(state_get(s, "synchronization_job.j00003"));
	fx_close(s);
	buf_release(&one);
	buf_release(&two);
}

static void foreign_journal_is_refused_and_a_contained_one_ignored(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct buf jour;

	(void)state;
	fx_put(s, 1, 1, 0);
	fx_flush(s);
	fx_read(fx_file("x.state.journal"), &jour);
	fx_close(s);
	s = fx_open(STATE_WRITE);
	fx_put(s, 2, 1, 0);
	fx_close(s);
	/* The first journal comes back, two serials later: all in it is known. */
	fx_write(fx_file("x.state.journal"), jour.p, jour.n);
	s = fx_open(STATE_WRITE);
	assert_non_null(state_get(s, "synchronization_job.j00002"));
	fx_put(s, 1, 9, 0);
	fx_close(s);
	/* Now it is not. */
	fx_write(fx_file("x.state.journal"), jour.p, jour.n);
	assert_int_equal(fx_try(&s, STATE_WRITE), -1);
	assert_int_equal(fx_err.code, ERR_STATE_READ);
	assert_has(fx_err.msg, "replaced since");
	/* Of another lineage. */
	unlink(fx_path);
	unlink(fx_file("x.state.journal"));
	unlink(fx_file("x.state.key"));
	s = fx_open(STATE_WRITE);
	fx_put(s, 5, 1, 0);
	fx_close(s);
	fx_write(fx_file("x.state.journal"), jour.p, jour.n);
	assert_int_equal(fx_try(&s, STATE_WRITE), -1);
	assert_has(fx_err.msg, "another state");
	buf_release(&jour);
}

static void leftover_temp_files_are_swept(void **state)
{
	struct state *s;

	(void)state;
	fx_write(fx_file("x.state.json.tmp-0123abcd"), "x", 1);
	fx_write(fx_file("y.state.json.tmp-0123abcd"), "x", 1);
	fx_write(fx_file("x.state.json.tmp-mine"), "x", 1);
	s = fx_open(STATE_WRITE);
	fx_close(s);
	assert_false(fx_exists("x.state.json.tmp-0123abcd"));
	assert_true(fx_exists("y.state.json.tmp-0123abcd"));
	assert_true(fx_exists("x.state.json.tmp-mine"));
}

/* ---- cost ---- */

static void bytes_grow_linearly(void **state)
{
	double per[3];
	size_t counts[] = {100, 1000, 10000};

	(void)state;
	for (int k = 0; k < 3; k++) {
		struct state *s = fx_open(STATE_WRITE);
		int64_t t = sys_now_ms();
		uint64_t bytes;
		size_t n;

		for (size_t i = 0; i < counts[k]; i++) {
			fx_put(s, i, 1, 500);
			if (i % 64 == 63)
				fx_flush(s);
		}
		fx_flush(s);
		state_list(s, &n);
		assert_int_equal(n, counts[k]);
		bytes = state_bytes_written(s);
		fx_close(s);
		per[k] = (double)bytes / (double)counts[k];
		print_message("           %6zu puts: %9llu bytes written, %7.1f per put, %lld ms\n",
		              counts[k], (unsigned long long)bytes, per[k],
		              (long long)(sys_now_ms() - t));
		fx_empty(fx_dir);
		mkdir(fx_dir, 0700);
	}
	assert_true(per[2] < 2.5 * per[0]);
}

static void verify_explains(void **state)
{
	struct state *s = fx_open(STATE_WRITE);
	struct diag d;
	struct buf b;

	(void)state;
	fx_put(s, 1, 1, 0);
	fx_close(s);
	diag_init(&d, &fx);
	assert_int_equal(state_verify(fx_path, &d, &fx_err), 0);
	assert_int_equal(d.errors, 0);
	s = fx_open(STATE_WRITE);
	fx_put(s, 2, 1, 0);
	fx_flush(s);
	state_abandon(s);
	fx_read(fx_path, &b);
	b.p[b.n / 2] ^= 1;
	fx_write(fx_path, b.p, b.n);
	diag_init(&d, &fx);
	assert_int_equal(state_verify(fx_path, &d, &fx_err), 0);
	assert_true(d.errors > 0);
	assert_has(d.v[d.n - 2].msg, "synchronization_job.j00002 has the id job2");
	buf_release(&b);
}

#define T(f) cmocka_unit_test_setup_teardown(f, fx_setup, fx_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_written_when_nothing_changed),
		T(everything_comes_back),
		T(snapshot_is_json_with_a_resource_per_line),
		T(secrets_never_reach_the_disk),
		T(newer_attributes_are_kept),
		T(intents_live_until_settled),
		T(many_intents_stay_small),
		T(records_of_the_start_outlive_their_replacement),
		T(damage_is_no_first_run),
		T(hand_edit_is_explained),
		T(conflict_markers_are_named),
		T(newer_format_is_named),
		T(sealed_nonsense_is_refused),
		T(simulated_and_real_do_not_mix),
		T(bad_places_are_refused_before_anything),
		T(lost_key_makes_secrets_unverifiable_once),
		T(link_stays_and_its_target_is_written),
		T(names_for_simulation),
		T(second_process_is_told_the_holder),
		T(forked_child_does_not_keep_the_lock),
		T(two_writers_never_lose_a_record),
		T(reader_sees_the_last_commit),
		T(readers_live_beside_a_busy_writer),
		T(replaced_journal_stops_the_run),
		T(a_lost_journal_is_rescued_beside),
		T(the_newest_is_remembered),
		T(an_empty_journal_is_not_missed),
		T(replaced_snapshot_is_not_overwritten),
		T(a_full_disk_at_the_end_leaves_the_journal),
		T(removed_or_older_snapshot_is_noticed),
		T(foreign_journal_is_refused_and_a_contained_one_ignored),
		T(leftover_temp_files_are_swept),
		T(bytes_grow_linearly),
		T(verify_explains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
