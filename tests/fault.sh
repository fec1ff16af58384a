#!/bin/sh
# Breaks the program in every way and prints the table (tests/fault/fault.c). Called by ./build.sh fault (everything) and by
# ./build.sh test (--short: a bounded part). LAB_ONLY=TEXT takes the trials whose name holds TEXT (=NAME: that one), LAB_TALK=1 names each,
# LAB_STOP=1 stops at the first bad one; with LAB_DIR=DIR the files of the last trials stay there.
set -eu
cd "$(dirname "$0")/.."
mode=${1:---long}
# mostly waiting: four workers a processor
jobs=$(($(nproc 2>/dev/null || echo 2) * 4))
if [ -n "${LAB_DIR:-}" ]; then
	dir=$LAB_DIR
	mkdir -p "$dir"
else
	dir=$(mktemp -d "${TMPDIR:-/tmp}/dtsbatch-fault.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
fi

command -v strace >/dev/null 2>&1 || echo "strace is missing: kills and errors at system calls are left out"
make -f build/gen/Makefile --no-print-directory -s O=build/musl build/musl/libdtsbatch.a
cc=$(sed -n 's/^CC = //p' build/musl/config.mk)
flags=$(sed -n 's/^CPPFLAGS = //p; s/^CFLAGS = //p' build/musl/config.mk | tr '\n' ' ')
libs=$(sed -n 's/^LDFLAGS = //p; ' build/musl/config.mk)
tail=$(sed -n 's/^LIBS = //p' build/musl/config.mk)
eval "$cc $flags -Wall -Wextra -I tests/fault -o build/musl/lab tests/fault/*.c build/musl/libdtsbatch.a $libs $tail"
[ ! -x build/fault/dtsbatch ] || export DTSBATCH_FAULT_BINARY="$PWD/build/fault/dtsbatch"
if [ "$mode" = --long ]; then
	build/musl/lab "$PWD/build/dtsbatch" "$dir" --long --jobs "$jobs"
else
	build/musl/lab "$PWD/build/dtsbatch" "$dir" --jobs "$jobs"
fi
