# shellcheck shell=sh
# The C library itself: the distribution's may be older than 1.2.5, the first
# release that is careful with truncated DNS answers over TCP.

build() {
	[ "$TARGET" = musl ] || return 0
	unset CC CFLAGS
	CC=gcc CFLAGS="-O2 -fPIC -ffunction-sections -fdata-sections $PREFIX_MAP" ./configure \
		--prefix="$PREFIX" --syslibdir="$PREFIX/lib" --disable-shared --enable-wrapper=gcc
	make -j "$JOBS"
	make install
}
