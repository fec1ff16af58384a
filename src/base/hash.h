/*
 * Digests and byte encodings (mbedTLS inside; this is the only file that
 * includes it besides remote/http_tls.c). Pure, no failure modes.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void hash_sha256(const void *p, size_t n, uint8_t out[32]);
void hash_hmac_sha256(const void *key, size_t key_n, const void *p, size_t n, uint8_t out[32]);
void hash_hmac_sha1(const void *key, size_t key_n, const void *p, size_t n, uint8_t out[20]);
uint32_t hash_crc32c(uint32_t seed, const void *p, size_t n); /* seed 0 to begin */
uint64_t hash_fnv1a(const void *p, size_t n);                 /* for tables, not for security */

void hash_hex(const uint8_t *p, size_t n, char *out); /* 2n+1 bytes, lower case */
bool hash_unhex(const char *hex, uint8_t *out, size_t n);
void hash_base64(const uint8_t *p, size_t n, char *out); /* 4*ceil(n/3)+1 bytes */
bool hash_equal(const void *a, const void *b, size_t n); /* constant time */
void hash_wipe(void *p, size_t n);                       /* never optimised away */

#endif
