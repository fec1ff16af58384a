/*
 * Whom we trust. The certificates are parsed once and shared by all
 * connections; otherwise each handshake would pay for them again.
 */
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sys.h"
#include "base/text.h"
#include "ca_bundle.h"
#include "remote/http_internal.h"

#define CA_FILE_MAX ((size_t)16 << 20)

struct trust {
	mbedtls_x509_crt chain;
	char source[256]; /* for messages */
};

/* ---- loading -------------------------------------------------------------- */

static bool chain_filled(const struct trust *t)
{
	return t->chain.raw.len > 0;
}

/* True when at least one certificate was taken; others may be of kinds we do not know. */
static bool load_file(struct trust *t, const char *path)
{
	struct buf b;

	buf_init(&b, CA_FILE_MAX);
	if (!sys_read_file(path, &b) && b.n) /* PEM wants the final NUL counted */
		mbedtls_x509_crt_parse(&t->chain, (const unsigned char *)b.p, b.n + 1);
	if (!chain_filled(t) && b.n)
		mbedtls_x509_crt_parse(&t->chain, (const unsigned char *)b.p, b.n); /* DER */
	buf_release(&b);
	snprintf(t->source, sizeof t->source, "%s", path);
	return chain_filled(t);
}

static void load_embedded(struct trust *t)
{
	size_t at = 0;

	while (ca_bundle_len - at > 2) {
		size_t n = (size_t)ca_bundle[at] << 8 | ca_bundle[at + 1];

		at += 2;
		if (!n || n > ca_bundle_len - at)
			BUG("embedded CA bundle broken at %zu", at);
		/* The bundle lives as long as the program: no copy. */
		mbedtls_x509_crt_parse_der_nocopy(&t->chain, ca_bundle + at, n);
		at += n;
	}
	snprintf(t->source, sizeof t->source, "the embedded bundle");
}

static int load(struct trust *t, const char *cacert, env_fn env, void *ctx, struct err *e)
{
	static const char *const system_files[] = {"/etc/ssl/certs/ca-certificates.crt",
	                                           "/etc/pki/tls/certs/ca-bundle.crt",
	                                           "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
	const char *named = cacert, *by = "--cacert";

	if (text_empty(named)) {
		named = env ? env(ctx, "SSL_CERT_FILE") : NULL;
		by = "SSL_CERT_FILE";
	}
	if (!text_empty(named)) {
		if (load_file(t, named))
			return 0;
		err_set(e, ERR_USAGE, "%s: no certificate could be read from %s", by, named);
		return err_hint(e, "a file of CA certificates in PEM form");
	}
	for (size_t i = 0; i < sizeof system_files / sizeof system_files[0]; i++)
		if (load_file(t, system_files[i]))
			return 0;
	load_embedded(t);
	if (!chain_filled(t))
		return err_set(e, ERR_UNREACHABLE,
		               "no CA certificates: neither in the system nor embedded");
	return 0;
}

struct trust *trust_open(const char *cacert, env_fn env, void *ctx, struct err *e)
{
	struct trust *t = sys_malloc(sizeof *t);

	mbedtls_x509_crt_init(&t->chain);
	if (!load(t, cacert, env, ctx, e))
		return t;
	trust_free(t);
	return NULL;
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	mbedtls_x509_crt_free(&t->chain);
	sys_free(t);
}

/* ---- one connection ------------------------------------------------------- */

static int64_t epoch(const mbedtls_x509_time *t)
{
	struct tm tm = {.tm_year = t->year - 1900,
	                .tm_mon = t->mon - 1,
	                .tm_mday = t->day,
	                .tm_hour = t->hour,
	                .tm_min = t->min,
	                .tm_sec = t->sec};

	return timegm(&tm);
}

/* Called for each certificate from the root down. Remembers the last with a flaw; changes nothing. */
/* NOLINTNEXTLINE(readability-non-const-parameter): mbedTLS's signature */
static int on_certificate(void *arg, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	struct tls_report *rep = arg;

	(void)depth;
	if (!*flags)
		return 0;
	rep->flags |= *flags;
	rep->from_s = epoch(&crt->valid_from);
	rep->to_s = epoch(&crt->valid_to);
	if (mbedtls_x509_dn_gets(rep->subject, sizeof rep->subject, &crt->subject) < 0)
		rep->subject[0] = '\0';
	return 0;
}

void trust_apply(struct trust *t, void *ssl_config, struct tls_report *rep)
{
	mbedtls_ssl_config *conf = ssl_config;

	mbedtls_ssl_conf_ca_chain(conf, &t->chain, NULL);
	mbedtls_ssl_conf_authmode(conf, MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_verify(conf, on_certificate, rep);
}

void tls_explain(char *out, size_t n, const struct trust *t, const struct tls_report *rep,
                 const char *host, int64_t now_s, int64_t build_s)
{
	bool late = rep->flags & MBEDTLS_X509_BADCERT_EXPIRED;
	bool early = rep->flags & MBEDTLS_X509_BADCERT_FUTURE;
	char now[21], from[21], to[21], built[21];

	text_utc(now_s, now);
	text_utc(rep->from_s, from);
	text_utc(rep->to_s, to);
	text_utc(build_s, built);
	if ((late || early) && now_s < build_s)
		snprintf(
			out, n,
			"the clock of this machine is wrong: it says %s, but this program was built at "
			"%s (certificate of %s: valid from %s to %s)",
			now, built, host, from, to);
	else if (late)
		snprintf(out, n, "the certificate of %s (%s) expired at %s; the clock here says %s",
		         host, rep->subject, to, now);
	else if (early)
		snprintf(
			out, n,
			"the certificate of %s (%s) is not valid before %s; the clock here says %s",
			host, rep->subject, from, now);
	else if (rep->flags & MBEDTLS_X509_BADCERT_CN_MISMATCH)
		snprintf(out, n, "the certificate is for another host (%s), not for %s",
		         rep->subject, host);
	else if (rep->flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
		snprintf(out, n, "the certificate of %s (%s) is not signed by an authority in %s",
		         host, rep->subject, t ? t->source : "the CA file");
	else
		snprintf(out, n, "the certificate of %s (%s) was refused (flags 0x%x)", host,
		         rep->subject, (unsigned)rep->flags);
}
