# shellcheck shell=sh
# mbedTLS: our own configuration (mbedtls_config.h beside this file) is
# installed in place of the stock one, so nobody has to name it.
# recipe-input: mbedtls_config.h
# recipe-input: mbedtls_entropy.c

build() {
	cp "$ROOT/vendor/mbedtls_config.h" include/mbedtls/mbedtls_config.h
	cp -R include/mbedtls include/psa "$PREFIX/include/"
	CFLAGS="$CFLAGS -std=c99 -I$PWD/include -I$PWD/library -DMBEDTLS_CONFIG_FILE=<mbedtls/mbedtls_config.h>"
	compile_archive "$PREFIX/lib/libmbedtls.a" "$PWD"/library/*.c "$ROOT/vendor/mbedtls_entropy.c"
	# libcurl names all three of the stock libraries; ours is one. Without these
	# two, a copy installed on the machine would be found instead.
	"${AR:-ar}" rcsD "$PREFIX/lib/libmbedx509.a"
	"${AR:-ar}" rcsD "$PREFIX/lib/libmbedcrypto.a"
}
