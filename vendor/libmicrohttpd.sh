# shellcheck shell=sh
# libmicrohttpd: the simulator's server. Plain HTTP on the loopback, no TLS, no
# authentication schemes, no form parser.

# Only its test suite and manual page.
# shellcheck disable=SC2034
skip_patches='manpage_* adapted_test_* FTBFS_test*'

build() {
	./configure --prefix="$PREFIX" \
		--disable-shared --enable-static --with-pic --disable-https --disable-doc --disable-examples \
		--disable-tools --disable-curl --disable-bauth --disable-dauth --disable-postprocessor \
		--disable-cookie --disable-httpupgrade --disable-sendfile --disable-nls \
		--disable-dependency-tracking
	make -j "$JOBS" -C src/microhttpd libmicrohttpd.la
	cp src/microhttpd/.libs/libmicrohttpd.a "$PREFIX/lib/"
	cp src/include/microhttpd.h "$PREFIX/include/"
}
