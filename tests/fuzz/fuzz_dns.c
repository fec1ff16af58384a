/* Any bytes as the packet of a name server: nothing of it may be believed without looking. */
#include "../../src/remote/dns.c"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	/* A server that cannot be asked again, over TCP neither. */
	static const struct dns_conf conf = {
		.server = {"none"}, .nservers = 1, .attempts = 1, .port = 9};
	struct dns_result out = {.outcome = DNS_ABSENT};
	struct asking x = {.c = &conf, .out = &out, .fd = {-1, -1, -1, -1, -1, -1, -1, -1}};
	uint8_t packet[REPLY_MAX];

	if (!question_make(&x.q[0], "dts.region.test", TYPE_A) ||
	    !question_make(&x.q[1], "dts.region.test", TYPE_AAAA))
		return 0;
	for (size_t i = 0; i < 2; i++) {
		size_t k = n < REPLY_MAX - 12 ? n : REPLY_MAX - 12;

		/* As it comes, and behind a head and question that fit. */
		memcpy(packet, p, k);
		if (k >= 12 && same_question(&x.q[i], packet, k))
			question_answer(&x, &x.q[i], 0, packet, k);
		memcpy(packet, x.q[i].packet, x.q[i].n);
		if (k > 8)
			memcpy(packet + 2, p, 6);
		packet[2] |= 0x80;
		put16(packet + 4, 1);
		if (k > REPLY_MAX - x.q[i].n)
			k = REPLY_MAX - x.q[i].n;
		memcpy(packet + x.q[i].n, p, k);
		if (x.q[i].state == ASKING && same_question(&x.q[i], packet, x.q[i].n + k))
			question_answer(&x, &x.q[i], 0, packet, x.q[i].n + k);
	}
	if (out.n > RESOLVE_MAX)
		__builtin_trap();
	return 0;
}
