# shellcheck shell=sh
# libcurl: HTTP and HTTPS only, mbedTLS, resolver in a thread, no compression,
# no cookies, no file formats. Error texts stay (--enable-verbose).
# No default CA bundle: the program always says which one it trusts.

# Packaging of the second, GnuTLS flavour; needs autotools and changes no code.
# shellcheck disable=SC2034
skip_patches='ZZZ* build-Divide-* 11_omit-*'

build() {
	# Patches may touch files the generated scripts depend on; these are not regenerated.
	CPPFLAGS="-I$PREFIX/include" LDFLAGS="-L$PREFIX/lib" LIBS=-lmbedtls ./configure \
		--prefix="$PREFIX" --disable-shared --enable-static --with-pic \
		--with-mbedtls="$PREFIX" --without-ca-bundle --without-ca-path --without-ca-fallback \
		--without-zlib --without-brotli --without-zstd --without-libpsl --without-libidn2 \
		--without-nghttp2 --without-ngtcp2 --without-nghttp3 --without-librtmp --without-libssh2 \
		--without-libgsasl --disable-ares --enable-threaded-resolver --enable-ipv6 --enable-proxy \
		--enable-http --disable-ftp --disable-file --disable-ldap --disable-ldaps --disable-rtsp \
		--disable-dict --disable-telnet --disable-tftp --disable-pop3 --disable-imap --disable-smb \
		--disable-smtp --disable-gopher --disable-mqtt --disable-ipfs --disable-websockets \
		--disable-manual --disable-docs --disable-libcurl-option --disable-alt-svc --disable-hsts \
		--disable-ntlm --disable-kerberos-auth --disable-negotiate-auth --disable-aws \
		--disable-digest-auth --disable-netrc --disable-cookies --disable-doh --disable-unix-sockets \
		--disable-mime --disable-form-api --disable-get-easy-options --disable-tls-srp \
		--disable-dateparse --disable-httpsrr --disable-ech --disable-ca-search \
		--disable-debug --disable-curldebug --disable-dependency-tracking --enable-verbose
	make -j "$JOBS" -C lib ACLOCAL=: AUTOCONF=: AUTOMAKE=: AUTOHEADER=: libcurl.la
	cp lib/.libs/libcurl.a "$PREFIX/lib/"
	cp -R include/curl "$PREFIX/include/"
}
