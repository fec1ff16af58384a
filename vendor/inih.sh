# shellcheck shell=sh
# inih: one file. INI_DEFINES (build.sh) must be the same here and in every
# file that includes <ini.h>, because they change the handler's signature.

# The distribution's patches turn the compile-time options into run-time
# variables (another interface) and touch its build files; none is a security fix.
# shellcheck disable=SC2034
skip_patches='000[1-8]-*'

build() {
	CFLAGS="$CFLAGS $INI_DEFINES"
	compile_archive "$PREFIX/lib/libinih.a" "$PWD/ini.c"
	cp ini.h "$PREFIX/include/"
}
