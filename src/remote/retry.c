#include "remote/retry.h"

#include <string.h>

#include "base/text.h"

#define PAUSE_MIN_MS 100
#define PAUSE_BASE_MS 500
#define PAUSE_BASE_THROTTLED_MS 1000
#define PAUSE_CAP_MS 20000
#define PAUSE_CAP_THROTTLED_MS 30000 /* the service's own advice: 15 to 30 s (dts-api.md 7) */
#define HINT_CAP_MS 120000

enum match { EXACT, PREFIX, SUFFIX };

/*
 * What a code means. Reads that hit a conflict or an unknown outcome are simply
 * asked again, see for_read(). First match counts.
 */
struct code_row {
	const char *code; /* without "DTS.Msg." */
	enum match match;
	enum verdict verdict;
	enum err_code err;
	const char *hint;
};

#define GO_CONSOLE "grant it to the RAM user in the console (system policy AliyunDTSFullAccess)"
#define CHECK_KEY "check ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET"
#define CHECK_ROLE                                                                                 \
	"check source_endpoint_role / destination_endpoint_role: a bare role name of the owner "   \
	"account that trusts yours"
#define MONEY "nothing further is bought in this run; what exists stays recorded"
#define CHECK_ENDPOINT "check --endpoint and --region: this host does not serve DTS as expected"

/* clang-format off */
static const struct code_row rows[] = {
	/* Refused before execution: throttling comes with HTTP 400 (alibaba-auth.md 4.3). */
	{"Throttling", PREFIX, VERDICT_RETRY, ERR_LATER, "other tools of the account share its quota; try again later"},
	{".Throttling", SUFFIX, VERDICT_RETRY, ERR_LATER, "other tools of the account share its quota; try again later"},
	/* An earlier copy has reached the gateway (case a25). */
	{"SignatureNonceUsed", EXACT, VERDICT_LOOK, ERR_FAILED, NULL},
	/* Unknown outcome. */
	{"ServiceUnavailable", PREFIX, VERDICT_LOOK, ERR_LATER, "the service is temporarily unavailable; try again later"},
	{"InternalError", PREFIX, VERDICT_LOOK, ERR_FAILED, NULL},
	/* Clock and credentials. */
	{"InvalidTimeStamp", PREFIX, VERDICT_CLOCK, ERR_DENIED, "the clock of this machine is off by more than 15 minutes: set it"},
	{"IllegalTimestamp", EXACT, VERDICT_CLOCK, ERR_DENIED, "the clock of this machine is off by more than 15 minutes: set it"},
	{"InvalidSecurityToken.Expired", EXACT, VERDICT_REFRESH, ERR_DENIED, "the temporary key has expired: get a new one, then run again"},
	{"InvalidSecurityToken", PREFIX, VERDICT_DENIED, ERR_DENIED, "check ALIBABA_CLOUD_SECURITY_TOKEN: it must belong to the key"},
	{"MissingSecurityToken", EXACT, VERDICT_DENIED, ERR_DENIED, "a temporary key needs ALIBABA_CLOUD_SECURITY_TOKEN"},
	{"InvalidAccessKeyId", PREFIX, VERDICT_DENIED, ERR_DENIED, CHECK_KEY ": the key is unknown or disabled"},
	{"MissingAccessKeyId", EXACT, VERDICT_DENIED, ERR_DENIED, CHECK_KEY},
	{"Forbidden.AccessKeyDisabled", EXACT, VERDICT_DENIED, ERR_DENIED, "the key is disabled: use another one"},
	{"SignatureDoesNotMatch", EXACT, VERDICT_DENIED, ERR_DENIED, CHECK_KEY ": the secret does not belong to the id"},
	{"IncompleteSignature", EXACT, VERDICT_DENIED, ERR_DENIED, CHECK_KEY},
	{"InvalidSignatureMethod", EXACT, VERDICT_DENIED, ERR_DENIED, CHECK_ENDPOINT},
	{"UnsupportedSignatureMethod", EXACT, VERDICT_DENIED, ERR_DENIED, CHECK_ENDPOINT},
	{"NoPermission", EXACT, VERDICT_DENIED, ERR_DENIED, GO_CONSOLE},
	{"Forbidden.RAM", EXACT, VERDICT_DENIED, ERR_DENIED, GO_CONSOLE},
	{"Forbidden", EXACT, VERDICT_DENIED, ERR_DENIED, GO_CONSOLE},
	{"RamPermissionDenied", EXACT, VERDICT_DENIED, ERR_DENIED, GO_CONSOLE},
	/* Another account's role: one job's matter, the others go on (dts-api.md 20). */
	{"AssumeRoleFail", EXACT, VERDICT_FAIL, ERR_FAILED, CHECK_ROLE},
	{"Abnormal.RamCheckUserRole", EXACT, VERDICT_FAIL, ERR_FAILED, CHECK_ROLE},
	{"Forbidden.AliyunUIDNotFound", EXACT, VERDICT_FAIL, ERR_FAILED, "the owner account must have opened the DTS console once"},
	{"AliyunUIDNotFound", EXACT, VERDICT_FAIL, ERR_FAILED, "the owner account must have opened the DTS console once"},
	{"InvalidParameter.AliyunUidFormat", EXACT, VERDICT_FAIL, ERR_FAILED, "check source_endpoint_owner_id / destination_endpoint_owner_id: digits of the account id"},
	/* Absent. */
	{"Forbidden.InstanceNotFound", EXACT, VERDICT_GONE, ERR_FAILED, "released, or in another region than --region and the endpoint say"},
	{"InvalidJobId", EXACT, VERDICT_GONE, ERR_FAILED, "released, or in another region than --region and the endpoint say"},
	/* State conflicts: wait, then again. */
	{"OperationDenied.JobStatusModifying", EXACT, VERDICT_BUSY, ERR_FAILED, "another change of the job is under way; try again when it runs"},
	{"ModifyDenied.JobStatusNotRunning", EXACT, VERDICT_BUSY, ERR_FAILED, "the change needs a running job"},
	{"OperationDenied.JobStatus", EXACT, VERDICT_BUSY, ERR_FAILED, NULL},
	{"InvalidJobStatus", EXACT, VERDICT_BUSY, ERR_FAILED, NULL},
	{"InvalidTaskStatus", EXACT, VERDICT_BUSY, ERR_FAILED, NULL},
	{"CheckStatus.InvalidInitStatus", EXACT, VERDICT_BUSY, ERR_FAILED, NULL},
	{"CheckJobFailed.ServerUnAvailable", EXACT, VERDICT_BUSY, ERR_FAILED, "the service's own nodes could not check the database; try again later"},
	{"SQLExecuteError", EXACT, VERDICT_BUSY, ERR_FAILED, NULL},
	{"DescribeColumns.TimeOut", EXACT, VERDICT_BUSY, ERR_FAILED, "reading the tables took the service too long; try again later"},
	{"DescribeStruct.TimeOut", EXACT, VERDICT_BUSY, ERR_FAILED, "reading the tables took the service too long; try again later"},
	/* Money. */
	{"LXBuyError", EXACT, VERDICT_MONEY, ERR_FAILED, "the account cannot pay (arrears or balance): " MONEY},
	{"LXPayOrder", PREFIX, VERDICT_MONEY, ERR_FAILED, "top up the account, and look for an unpaid order in the console: " MONEY},
	{"LXCreateOrder.NotFoundPricePlan", EXACT, VERDICT_MONEY, ERR_FAILED, "no price for this class, engine pair, topology and region: " MONEY},
	{"LXCreateOrder", PREFIX, VERDICT_MONEY, ERR_FAILED, "the order was refused (is the account allowed to synchronize across borders?): " MONEY},
	/* This item; only what deserves a word. */
	{"UpdateJob.OperationDenied.InitStatus", EXACT, VERDICT_FAIL, ERR_FAILED, "the job was started already and cannot be configured again"},
	{"OperationDenied.NotPurchased", EXACT, VERDICT_FAIL, ERR_FAILED, "the job was configured but never bought"},
	{"InvalidParameter.Kafka", PREFIX, VERDICT_FAIL, ERR_FAILED, "give Kafka brokers by intranet IP address"},
	{"GetMongoDbShardInfo.", PREFIX, VERDICT_FAIL, ERR_FAILED, "open the shard addresses of the sharded MongoDB instance, or set srcEngineArchType for a replica set"},
	{"DbTypeNotSupport.", PREFIX, VERDICT_FAIL, ERR_FAILED, "PolarDB-X 1.0 is supported on ordinary, writable RDS instances only"},
	{"SrcLink.InternetAddressNotFound", EXACT, VERDICT_FAIL, ERR_FAILED, "the source needs a public address for a job across regions"},
	{"InvalidApi.NotFound", EXACT, VERDICT_FAIL, ERR_FAILED, CHECK_ENDPOINT},
	{"InvalidAction.NotFound", EXACT, VERDICT_FAIL, ERR_FAILED, CHECK_ENDPOINT},
	{"InvalidVersion", EXACT, VERDICT_FAIL, ERR_FAILED, CHECK_ENDPOINT},
	{"NoSuchVersion", EXACT, VERDICT_FAIL, ERR_FAILED, CHECK_ENDPOINT},
	{"InvalidProduct.NotFound", EXACT, VERDICT_FAIL, ERR_FAILED, CHECK_ENDPOINT},
	{"InvalidProtocol.NeedSsl", EXACT, VERDICT_FAIL, ERR_FAILED, "the endpoint wants https"},
};
/* clang-format on */

static bool matches(const struct code_row *r, const char *code)
{
	switch (r->match) {
	case PREFIX:
		return text_starts(code, r->code);
	case SUFFIX:
		return text_ends(code, r->code);
	default:
		return !strcmp(code, r->code);
	}
}

static const struct code_row *find(const char *code)
{
	for (size_t i = 0; code && i < sizeof rows / sizeof rows[0]; i++)
		if (matches(&rows[i], code))
			return &rows[i];
	return NULL;
}

/* A read has no effect: whatever is unclear or busy is asked again. */
static enum verdict for_read(enum verdict v)
{
	return v == VERDICT_LOOK || v == VERDICT_BUSY ? VERDICT_RETRY : v;
}

static enum verdict net_verdict(enum net_result net, bool read)
{
	switch (net) {
	case NET_RESOLVE:
	case NET_TLS:
		return VERDICT_UNREACHABLE;
	case NET_CONNECT:
		return VERDICT_RETRY;
	case NET_TOO_BIG: /* it would be too big again */
		return read ? VERDICT_FAIL : VERDICT_LOOK;
	case NET_SENT_UNKNOWN:
	case NET_OK:
		break;
	}
	return read ? VERDICT_RETRY : VERDICT_LOOK;
}

enum verdict retry_verdict(const struct reply_facts *f, enum api_repeat repeat)
{
	bool read = repeat == REPEAT_READ;
	const struct code_row *r;

	if (f->net != NET_OK)
		return net_verdict(f->net, read);
	if (f->readable && f->success)
		return VERDICT_OK;
	/* HTML, cut JSON, redirects, a proxy's 502: nobody knows what DTS did (design.md 5). */
	if (!f->readable)
		return read ? VERDICT_RETRY : VERDICT_LOOK;
	r = find(f->code);
	if (r)
		return read ? for_read(r->verdict) : r->verdict;
	/* Newer gateways mark any refusal worth repeating by a retry-after (alibaba-auth.md 5.1). */
	if (f->status == 429 || (f->retry_after_ms > 0 && f->status >= 400 && f->status < 500))
		return VERDICT_RETRY;
	if (f->status >= 500)
		return read ? VERDICT_RETRY : VERDICT_LOOK;
	return VERDICT_FAIL; /* unknown codes below 500 are permanent (dts-api/errors.json) */
}

enum err_code retry_err_code(const struct reply_facts *f)
{
	const struct code_row *r;

	if (f->net == NET_TOO_BIG)
		return ERR_FAILED;
	if (f->net != NET_OK || !f->readable)
		return ERR_UNREACHABLE;
	r = find(f->code);
	if (r)
		return r->err;
	return f->status == 429 || f->status == 503 ? ERR_LATER : ERR_FAILED;
}

const char *retry_hint(const struct reply_facts *f)
{
	const struct code_row *r;

	switch (f->net) {
	case NET_RESOLVE:
		return "check --endpoint, --region and the name servers of this machine";
	case NET_CONNECT:
		return "check the network, the firewall and the proxy settings";
	case NET_TLS:
		return "check --cacert or SSL_CERT_FILE, the clock, and whether a proxy intercepts TLS";
	case NET_SENT_UNKNOWN:
	case NET_TOO_BIG:
		return NULL;
	case NET_OK:
		break;
	}
	if (!f->readable && !f->status) /* nothing was sent, so nothing answered */
		return NULL;
	if (!f->readable)
		return "the answer is not from DTS: a proxy, a portal or a wrong --endpoint?";
	r = find(f->code);
	return r ? r->hint : NULL;
}

int64_t retry_pause_ms(const struct reply_facts *f, unsigned attempt, uint32_t random)
{
	const struct code_row *r = f->net == NET_OK ? find(f->code) : NULL;
	bool throttled = (r && r->err == ERR_LATER) || f->status == 429;
	int64_t limit = throttled ? PAUSE_BASE_THROTTLED_MS : PAUSE_BASE_MS;
	int64_t cap = throttled ? PAUSE_CAP_THROTTLED_MS : PAUSE_CAP_MS;
	int64_t pause;

	if (f->retry_after_ms >= 0) {
		pause = f->retry_after_ms < HINT_CAP_MS ? f->retry_after_ms : HINT_CAP_MS;
	} else {
		while (attempt-- && limit < cap)
			limit *= 2;
		limit = limit < cap ? limit : cap;
		pause = (int64_t)(((uint64_t)random * (uint64_t)(limit + 1)) >> 32);
	}
	return pause < PAUSE_MIN_MS ? PAUSE_MIN_MS : pause;
}
