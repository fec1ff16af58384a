/* RFC vectors of the digests and codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

static void assert_hex(const uint8_t *p, size_t n, const char *want)
{
	char hex[129];

	hash_hex(p, n, hex);
	assert_string_equal(hex, want);
}

static void test_sha256(void **st)
{
	uint8_t out[32];
	char *million = malloc(1000000);

	(void)st;
	hash_sha256("abc", 3, out); /* FIPS 180-4 */
	assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hash_sha256(NULL, 0, out);
	assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_non_null(million);
	memset(million, 'a', 1000000);
	hash_sha256(million, 1000000, out);
	assert_hex(out, 32, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(million);
}

static void test_hmac(void **st)
{
	uint8_t out[32], key[131];

	(void)st;
	memset(key, 0x0b, 20); /* RFC 4231 case 1, RFC 2202 case 1 */
	hash_hmac_sha256(key, 20, "Hi There", 8, out);
	assert_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hash_hmac_sha1(key, 20, "Hi There", 8, out);
	assert_hex(out, 20, "b617318655057264e28bc0b6fb378c8ef146be00");
	/* case 2 of both */
	hash_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
	assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	hash_hmac_sha1("Jefe", 4, "what do ya want for nothing?", 28, out);
	assert_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	/* a key longer than a block: RFC 4231 case 6 */
	memset(key, 0xaa, sizeof key);
	hash_hmac_sha256(key, sizeof key, "Test Using Larger Than Block-Size Key - Hash Key First",
	                 54, out);
	assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	/* nothing with an empty key */
	hash_hmac_sha256(NULL, 0, NULL, 0, out);
	assert_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_crc32c(void **st)
{
	uint8_t v[32];

	(void)st;
	/* RFC 3720 B.4 */
	memset(v, 0, 32);
	assert_int_equal(hash_crc32c(0, v, 32), 0x8a9136aa);
	memset(v, 0xff, 32);
	assert_int_equal(hash_crc32c(0, v, 32), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		v[i] = i;
	assert_int_equal(hash_crc32c(0, v, 32), 0x46dd794e);
	assert_int_equal(hash_crc32c(0, "123456789", 9), 0xe3069283);
	/* each entry of the table, against the definition */
	for (unsigned i = 0; i < 256; i++) {
		uint32_t c = ~i;

		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0x82F63B78 : 0);
		assert_int_equal(hash_crc32c(0, &(uint8_t){(uint8_t)i}, 1), ~c);
	}
	/* in pieces */
	assert_int_equal(hash_crc32c(hash_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
	assert_int_equal(hash_crc32c(0, NULL, 0), 0);
}

static void test_codes(void **st)
{
	static const char *const base64[][2] = {{"", ""},
	                                        {"f", "Zg=="},
	                                        {"fo", "Zm8="},
	                                        {"foo", "Zm9v"},
	                                        {"foob", "Zm9vYg=="},
	                                        {"fooba", "Zm9vYmE="},
	                                        {"foobar", "Zm9vYmFy"}};
	uint8_t raw[4] = {1, 2, 3, 4};
	char out[16];

	(void)st;
	for (size_t i = 0; i < 7; i++) { /* RFC 4648 10 */
		hash_base64((const uint8_t *)base64[i][0], strlen(base64[i][0]), out);
		assert_string_equal(out, base64[i][1]);
	}
	hash_base64((const uint8_t *)"\xfb\xff\xbf", 3, out);
	assert_string_equal(out, "+/+/");
	assert_true(hash_unhex("00fFa510", raw, 4));
	assert_hex(raw, 4, "00ffa510");
	assert_false(hash_unhex("00112233", raw, 3)); /* too long */
	assert_false(hash_unhex("0011", raw, 3));
	assert_false(hash_unhex("00112g", raw, 3));
	assert_hex(raw, 4, "00ffa510"); /* untouched by failures */
	assert_true(hash_fnv1a("", 0) == 0xcbf29ce484222325u);
	assert_true(hash_fnv1a("foobar", 6) == 0x85944171f73967e8u);
}

static void test_memory(void **st)
{
	char s[8] = "1234567";

	(void)st;
	assert_true(hash_equal("abcd", "abcx", 3));
	assert_false(hash_equal("abcd", "abcx", 4));
	assert_false(hash_equal("xbcd", "abcd", 4));
	assert_true(hash_equal(NULL, NULL, 0));
	hash_wipe(s, 4);
	assert_memory_equal(s,
	                    "\0\0\0\0"
	                    "567",
	                    8);
	hash_wipe(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256), cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_crc32c), cmocka_unit_test(test_codes),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
