/* Writing the journal. The format stands at the head of journal.c. */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/sys.h"

#define FIRST_SIZE ((size_t)16384) /* length of a new journal */
#define SLACK ((size_t)1024)       /* always left, for the commit that announces a longer file */
#define MORE_MIN ((size_t)65536)

static int cannot(struct err *e, const struct journal *j, const char *what, int err)
{
	err_set(e, ERR_STATE_WRITE, "%s: cannot %s: %s", j->path, what, strerror(err));
	err_subject(e, j->path);
	return -1;
}

static bool no_room(int err)
{
	return err == ENOSPC || err == EDQUOT || err == EFBIG;
}

void pending_release(struct pending *p)
{
	buf_release(&p->text);
	sys_free(p->len);
	*p = (struct pending){0};
}

void pending_end(struct pending *p, size_t from)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 64;
		p->len = sys_realloc(p->len, p->cap * sizeof(*p->len));
	}
	p->len[p->n++] = p->text.n - from;
}

static void put_line(struct buf *out, uint64_t seq, uint64_t group, size_t rest, const char *json,
                     size_t len)
{
	size_t at = out->n;
	char crc[9];

	buf_printf(out, "00000000 %08" PRIu64 " %08" PRIu64 " %010zu %08zu ", seq, group, rest,
	           len);
	buf_add(out, json, len);
	if (!out->over) {
		snprintf(crc, sizeof(crc), "%08" PRIx32,
		         hash_crc32c(0, out->p + at + 9, out->n - at - 9));
		memcpy(out->p + at, crc, 8);
	}
	buf_putc(out, '\n');
}

static void header_json(struct buf *out, const struct journal *j, const struct content *c,
                        const char *base)
{
	buf_printf(out,
	           "{\"op\":\"head\",\"format_version\":%d,\"lineage\":\"%s\",\"serial\":%" PRIu64,
	           STORE_FORMAT, c->lineage, c->serial);
	encode_member(out, "base", *base ? base : NULL);
	encode_member(out, "journal", j->id);
	buf_printf(out, ",\"simulated\":%s", c->simulated ? "true" : "false");
	encode_member(out, "key_check", c->key_check[0] ? c->key_check : NULL);
	encode_member(out, "dtsbatch_version", DTSBATCH_VERSION);
	buf_printf(out, ",\"next_intent\":%" PRIu64 ",\"size\":%zu}", c->next_intent, FIRST_SIZE);
}

/* Header, then NULs up to FIRST_SIZE. Returns the length of the header line. */
static size_t header_text(struct buf *out, const struct journal *j, const struct content *c,
                          const char *base)
{
	static const char zeros[FIRST_SIZE];
	struct buf json;
	size_t n;

	buf_init(&json, FIRST_SIZE);
	header_json(&json, j, c, base);
	put_line(out, 0, 0, JOURNAL_PREFIX + json.n + 1, json.p, json.n);
	buf_release(&json);
	n = out->n;
	if (n > FIRST_SIZE - SLACK)
		BUG("the header of the journal takes %zu bytes", n);
	buf_add(out, zeros, FIRST_SIZE - n);
	return n;
}

static int open_made(struct journal *j, struct err *e)
{
	struct stat st;

	j->fd = sys_open(j->path, O_RDWR | O_NOFOLLOW, 0);
	if (j->fd < 0)
		return cannot(e, j, "open", errno);
	if (fstat(j->fd, &st) < 0)
		return cannot(e, j, "look at", errno);
	if (!S_ISREG(st.st_mode) || (size_t)st.st_size != FIRST_SIZE ||
	    lseek(j->fd, (off_t)j->pos, SEEK_SET) < 0) {
		err_set(e, ERR_STATE_WRITE, "%s: somebody else writes this file", j->path);
		return -1;
	}
	j->dev = st.st_dev;
	j->ino = st.st_ino;
	return 0;
}

static int write_zeros(struct journal *j, size_t size)
{
	static const char zeros[16384];
	int rc = lseek(j->fd, (off_t)j->size, SEEK_SET) < 0 ? -1 : 0, saved;

	for (size_t at = j->size; at < size && !rc;) {
		size_t n = size - at < sizeof(zeros) ? size - at : sizeof(zeros);

		rc = sys_write_all(j->fd, zeros, n);
		at += n;
		j->written += n;
	}
	saved = errno;
	if (lseek(j->fd, (off_t)j->pos, SEEK_SET) < 0)
		return -1;
	errno = saved;
	return rc;
}

/*
 * Lengthens the file by real, reserved space; where the file system cannot reserve, zeros are
 * written. Synced at once: the promise of the new length must not reach the disk before the
 * length. -1 with errno; j->size is unchanged then.
 */
static int lengthen(struct journal *j, size_t size)
{
	int rc;

	do
		rc = fallocate(j->fd, 0, (off_t)j->size, (off_t)(size - j->size));
	while (rc < 0 && errno == EINTR);
	if (rc < 0 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL))
		rc = write_zeros(j, size);
	if (rc < 0 || sys_fsync(j->fd) < 0)
		return -1;
	j->size = size;
	return 0;
}

static int still_ours(struct journal *j, struct err *e)
{
	struct stat st;

	if (stat(j->path, &st) == 0 && st.st_dev == j->dev && st.st_ino == j->ino)
		return 0;
	j->lost = true;
	err_set(e, ERR_STATE_WRITE, "%s was removed or replaced while this run was writing it",
	        j->path);
	err_subject(e, j->path);
	return err_hint(
		e, "something else manages the files of this state (a checkout, a restore, another "
		   "program): "
		   "see which, then run again");
}

static int write_group(struct journal *j, size_t records, struct err *e)
{
	const struct buf *b = &j->group_buf;

	if (b->over) {
		err_set(e, ERR_STATE_WRITE, "%s: a group of records is too large", j->path);
		return -1;
	}
	if (sys_write_all(j->fd, b->p, b->n) < 0)
		return cannot(e, j, "write", errno);
	j->written += b->n;
	if (sys_fdatasync(j->fd) < 0)
		return cannot(e, j, "sync", errno);
	j->pos += b->n;
	j->seq += records;
	j->group++;
	return 0;
}

static size_t commit_json(const struct journal *j, char *out, size_t cap)
{
	return (size_t)snprintf(out, cap, "{\"op\":\"commit\",\"size\":%zu}", j->size);
}

static int reserve_space(struct journal *j, size_t bytes, struct err *e)
{
	size_t want = j->pos + bytes + SLACK;
	char commit[64];
	size_t n;

	if (want <= j->size)
		return 0;
	if (want < j->size + j->size / 2)
		want = j->size + j->size / 2;
	if (want < j->size + MORE_MIN)
		want = j->size + MORE_MIN;
	if (lengthen(j, (want + 4095) & ~(size_t)4095) < 0) {
		/*
		 * A full disk: what is left may still do for this group, the answers of calls
		 * that are under way.
		 */
		if (no_room(errno) && j->pos + bytes <= j->size)
			return 0;
		return cannot(e, j, "reserve space", errno);
	}
	n = commit_json(j, commit, sizeof(commit));
	buf_reset(&j->group_buf);
	put_line(&j->group_buf, j->seq + 1, j->group + 1, JOURNAL_PREFIX + n + 1, commit, n);
	return write_group(j, 1, e);
}

int journal_create(struct journal *j, const struct content *c, const char *base, size_t reserve,
                   struct err *e)
{
	struct buf text;
	uint8_t id[8];
	int rc;

	sys_random(id, sizeof(id));
	hash_hex(id, sizeof(id), j->id);
	j->fd = -1;
	buf_init(&text, 2 * FIRST_SIZE);
	buf_init(&j->group_buf, STORE_FILE_MAX);
	j->pos = header_text(&text, j, c, base);
	j->size = FIRST_SIZE;
	j->seq = j->group = 0;
	j->lost = false;
	rc = sys_replace_file(j->path, 0600, text.p, text.n);
	if (rc < 0)
		cannot(e, j, no_room(errno) ? "write" : "create", errno);
	j->written += text.n;
	buf_release(&text);
	if (rc < 0 || open_made(j, e) < 0 || (reserve && reserve_space(j, reserve, e) < 0)) {
		journal_close(j);
		return -1;
	}
	return 0;
}

int journal_append(struct journal *j, const struct pending *p, struct err *e)
{
	char commit[64];
	size_t rest = p->text.n + (p->n + 1) * (JOURNAL_PREFIX + 1), n;
	const char *json = p->text.p;

	if (p->text.over) {
		err_set(e, ERR_STATE_WRITE, "%s: a group of records is too large", j->path);
		return -1;
	}
	if (still_ours(j, e) < 0 || reserve_space(j, rest + sizeof(commit), e) < 0)
		return -1;
	n = commit_json(j, commit, sizeof(commit));
	rest += n;
	buf_reset(&j->group_buf);
	for (size_t i = 0; i < p->n; i++) {
		put_line(&j->group_buf, j->seq + 1 + i, j->group + 1, rest, json, p->len[i]);
		rest -= p->len[i] + JOURNAL_PREFIX + 1;
		json += p->len[i];
	}
	put_line(&j->group_buf, j->seq + 1 + p->n, j->group + 1, rest, commit, n);
	return write_group(j, p->n + 1, e);
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
	buf_release(&j->group_buf);
}
