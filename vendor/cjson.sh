# shellcheck shell=sh
# cJSON: one file. The nesting limit guards the stack against hostile documents.

build() {
	CFLAGS="$CFLAGS $CJSON_DEFINES"
	compile_archive "$PREFIX/lib/libcjson.a" "$PWD/cJSON.c"
	mkdir -p "$PREFIX/include/cjson"
	cp cJSON.h "$PREFIX/include/cjson/" # the path the distributions use
	cp cJSON.h "$PREFIX/include/"
}
