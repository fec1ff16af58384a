#!/bin/sh
# The one entry to building and checking dtsbatch; see usage() below.
set -eu

usage() {
	cat <<'USAGE'
usage: ./build.sh [--install-deps] [verb]

  build      build/dtsbatch, one static executable (default)
  test       everything that can be proven here; ends with "N passed, N failed"
  lint       formatter, static analysers and the rules of src/README.md
  format     rewrite the C files as the formatter wants them
  fault      fault injection loops (tests/fault.sh)
  fuzz       fuzz targets, FUZZ_SECONDS each (default 20)
  bench      measurements (tests/bench.sh)
  fetch      fill vendor/distfiles, so that later builds need no network
  libs       third-party libraries only
  clean      remove build/ (with --all also the built libraries)

  --install-deps   first install the packages the verb needs and the machine lacks

environment: JOBS (default: processors), DTSBATCH_OFFLINE=1 (never use the network),
DTSBATCH_VENDOR_CACHE (default: vendor/.build), SOURCE_DATE_EPOCH
USAGE
}

ROOT=$(cd "$(dirname "$0")" && pwd)
cd "$ROOT"
VB=${DTSBATCH_VENDOR_CACHE:-$ROOT/vendor/.build}
JOBS=${JOBS:-$(nproc 2>/dev/null || echo 2)}
B=build
export LC_ALL=C ROOT VB JOBS
umask 022

# shellcheck source=vendor/lib.sh
. "$ROOT/vendor/lib.sh"

# --- packages ---------------------------------------------------------------

# need COMMAND-OR-FILE PACKAGE: what a verb uses, and who provides it.
needs() {
	cat <<-'LIST'
		gcc gcc
		make make
		patch patch
		xz xz-utils
		bzip2 bzip2
		/usr/include/stdio.h libc6-dev
		/etc/ssl/certs/ca-certificates.crt ca-certificates
	LIST
	case $1 in test | fault | fuzz | bench | lint)
		cat <<-'LIST'
			clang clang
			asan-runtime libclang-rt-dev
			strace strace
			/usr/include/cmocka.h libcmocka-dev
			strace strace
		LIST
		;;
	esac
	case $1 in lint | format)
		cat <<-'LIST'
			clang-tidy clang-tidy
			clang-format clang-format
			cppcheck cppcheck
			shellcheck shellcheck
			git git
		LIST
		;;
	esac
}

have() {
	case $1 in
	/*) [ -e "$1" ] ;;
	asan-runtime) command -v clang >/dev/null 2>&1 &&
		[ -n "$(find "$(clang -print-resource-dir)/lib" -name '*asan*.a' -print -quit 2>/dev/null)" ] ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

missing() {
	needs "$1" | while read -r what package; do
		have "$what" || printf '%s ' "$package"
	done
}

dependencies() {
	lacking=$(missing "$1")
	[ -n "$lacking" ] || return 0
	if [ -z "$install" ]; then
		die "missing packages: $lacking- install them, or run ./build.sh --install-deps $1"
	fi
	command -v apt-get >/dev/null 2>&1 || die "no apt-get here; install the equivalents of: $lacking"
	as_root='env'
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null 2>&1 || die "not root and no sudo; install: $lacking"
		as_root='sudo env'
	fi
	say "installing: $lacking"
	# shellcheck disable=SC2086
	{
		$as_root DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null
		$as_root DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $lacking </dev/null
	} >"${TMPDIR:-/tmp}/dtsbatch-install.$$" 2>&1 || {
		tail -n 30 "${TMPDIR:-/tmp}/dtsbatch-install.$$" >&2
		rm -f "${TMPDIR:-/tmp}/dtsbatch-install.$$"
		die "the packages could not be installed"
	}
	rm -f "${TMPDIR:-/tmp}/dtsbatch-install.$$"
	lacking=$(missing "$1")
	[ -z "$lacking" ] || die "still missing after installation: $lacking"
}

# --- third-party libraries --------------------------------------------------

# Two builds at once in one checkout wait for each other.
locked() {
	mkdir -p "$(dirname "$1")"
	exec 9>"$1"
	if command -v flock >/dev/null 2>&1; then flock 9; fi
}

unlocked() {
	exec 9>&-
}

libraries() {
	key=$({ cat vendor/versions.txt vendor/*.sh vendor/*.[ch] "$VB/download/vouched.txt"; gcc -dumpfullversion; echo "$VB"; } 2>/dev/null | sha256sum)
	[ "$(cat "$VB/$1/all.stamp" 2>/dev/null)" != "$key" ] || return 0
	libraries_obtain
	libraries_build "$1" || exit 1
	{ cat vendor/versions.txt vendor/*.sh vendor/*.[ch] "$VB/download/vouched.txt"; gcc -dumpfullversion; echo "$VB"; } | sha256sum >"$VB/$1/all.stamp"
}

# --- generated files --------------------------------------------------------

# settle FILE: keep FILE (and its time) if FILE.new says the same.
settle() {
	if cmp -s "$1.new" "$1"; then rm -f "$1.new"; else mv "$1.new" "$1"; fi
}

version() {
	sed -n 's/^## \[\{0,1\}\([0-9][0-9.]*\).*/\1/p' CHANGELOG.md 2>/dev/null | head -n 1
}

# The moment a clock must not lie before: the commit's, never the build's, so
# that the same tree gives the same bytes.
build_time() {
	if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
		echo "$SOURCE_DATE_EPOCH"
	elif t=$(git -c safe.directory='*' log -1 --format=%ct 2>/dev/null) && [ -n "$t" ]; then
		echo "$t"
	else
		stat -c %Y CHANGELOG.md
	fi
}

# The fall-back trust store: the distribution package's own certificates, not
# what this machine's operator added to them. [2-byte big-endian length][DER]...
ca_bundle() {
	set -- /usr/share/ca-certificates/mozilla/*.crt
	[ -f "$1" ] || set -- /etc/ssl/certs/ca-certificates.crt
	key=$(cat "$@" build.sh | sha256sum)
	[ "$(cat $B/gen/ca_bundle.key 2>/dev/null)" != "$key" ] || [ ! -f $B/gen/ca_bundle.c ] || return 0
	say "embedding the CA bundle"
	cat "$@" | awk '
		/-----BEGIN CERTIFICATE-----/ { b = ""; inside = 1; next }
		/-----END CERTIFICATE-----/ { if (inside) print b; inside = 0; next }
		inside { gsub(/[ \r]/, ""); b = b $0 }' | while read -r b64; do
		printf '%s' "$b64" | base64 -d >$B/gen/cert.der
		n=$(wc -c <$B/gen/cert.der)
		# shellcheck disable=SC2059
		printf "\\$(printf %03o $((n / 256)))\\$(printf %03o $((n % 256)))"
		cat $B/gen/cert.der
	done >$B/gen/ca_bundle.bin
	rm -f $B/gen/cert.der
	cat >$B/gen/ca_bundle.h <<-'HEADER'
		/* Written by build.sh: the fall-back CA bundle, [2-byte big-endian length][DER] repeated. */
		#ifndef CA_BUNDLE_H
		#define CA_BUNDLE_H

		#include <stddef.h>

		extern const unsigned char ca_bundle[];
		extern const size_t ca_bundle_len;

		#endif
	HEADER
	cat >$B/gen/ca_bundle.c <<-SOURCE
		/* Written by build.sh. */
		#include "ca_bundle.h"

		__asm__(".section .rodata.ca_bundle,\"a\",%progbits\n"
			".global ca_bundle\n"
			".type ca_bundle, %object\n"
			"ca_bundle:\n"
			".incbin \"$B/gen/ca_bundle.bin\"\n"
			".size ca_bundle, . - ca_bundle\n"
			".previous\n");

		const size_t ca_bundle_len = $(($(wc -c <$B/gen/ca_bundle.bin)));
	SOURCE
	echo "$key" >$B/gen/ca_bundle.key
}

generate() {
	mkdir -p $B/gen
	ca_bundle
	libraries_rows >$B/gen/vendor_info.h.new
	settle $B/gen/vendor_info.h
	build_time >$B/gen/build_time.new
	settle $B/gen/build_time
	makefile >$B/gen/Makefile.new
	settle $B/gen/Makefile
}

# One tree of objects; which one is said by the variables in its config.mk.
makefile() {
	cat <<-'MAKE'
		# Written by build.sh. Variables come from $(O)/config.mk.
		.SUFFIXES:
		.RECIPEPREFIX := >
		include $(O)/config.mk
		SRCS := $(sort $(shell find src -name '*.c'))
		OBJS := $(SRCS:src/%.c=$(O)/obj/%.o) $(O)/obj/ca_bundle.o
		LIBOBJS := $(filter-out $(O)/obj/cli/main.o,$(OBJS))
		TIMED := $(shell grep -rl DTSBATCH_BUILD_TIME src --include=*.c)
		UNITS := $(sort $(wildcard tests/unit/test_*.c))
		HELPERS := $(filter-out $(UNITS),$(sort $(wildcard tests/unit/*.c)))
		FUZZERS := $(sort $(wildcard tests/fuzz/fuzz_*.c))

		all: $(O)/dtsbatch
		units: $(UNITS:tests/unit/%.c=$(O)/unit/%)
		fuzzers: $(FUZZERS:tests/fuzz/%.c=$(O)/fuzz/%)

		$(O)/obj/%.o: src/%.c $(O)/config.mk
		>@mkdir -p $(@D)
		>@echo '  cc    $<'
		>@$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -MMD -MP -c -o $@ $<

		$(TIMED:src/%.c=$(O)/obj/%.o): CPPFLAGS += -DDTSBATCH_BUILD_TIME=$(shell cat build/gen/build_time)
		$(TIMED:src/%.c=$(O)/obj/%.o): build/gen/build_time

		$(O)/obj/ca_bundle.o: build/gen/ca_bundle.c build/gen/ca_bundle.bin $(O)/config.mk
		>@mkdir -p $(@D)
		>@$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -c -o $@ $<

		# The list of objects is a prerequisite too: a deleted source must relink.
		$(O)/objects: $(OBJS)
		>@printf '%s\n' $^ >$@

		$(O)/dtsbatch: $(OBJS) $(O)/objects $(LIBSTAMP)
		>@echo '  link  $@'
		>@$(CC) $(LDFLAGS) -o $@ $(OBJS) $(LIBS)

		$(O)/libdtsbatch.a: $(LIBOBJS) $(O)/objects
		>@rm -f $@
		>@ar rcsD $@ $(LIBOBJS)

		$(O)/unit/%.o: tests/unit/%.c $(O)/config.mk
		>@mkdir -p $(@D)
		>@echo '  cc    $<'
		>@$(CC) $(CPPFLAGS) -I tests/unit $(CFLAGS) -Wall -Wextra -Werror -MMD -MP -c -o $@ $<

		$(O)/unit/%: $(O)/unit/%.o $(HELPERS:tests/unit/%.c=$(O)/unit/%.o) $(O)/libdtsbatch.a $(LIBSTAMP)
		>@$(CC) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) -lcmocka $(LIBS)

		$(O)/fuzz/%: tests/fuzz/%.c $(O)/libdtsbatch.a $(O)/config.mk $(LIBSTAMP)
		>@mkdir -p $(@D)
		>@echo '  cc    $<'
		>@$(CC) $(CPPFLAGS) -I tests/fuzz $(CFLAGS) -Wall -Wextra -Werror -fsanitize=fuzzer $(LDFLAGS) -MMD -MP -o $@ $< $(O)/libdtsbatch.a $(LIBS)

		.SECONDARY:
		-include $(shell find $(O) -name '*.d' 2>/dev/null)
	MAKE
}

WARN='-Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wvla -Werror'
LINK_LIBS='-lcurl -lmbedtls -lmicrohttpd -linih -lcjson'

# tree NAME GOAL...: write build/NAME/config.mk and make GOALs.
tree() {
	O=$B/$1
	mkdir -p "$O"
	v=$(version)
	cpp="-I src -I $B/gen -D_GNU_SOURCE -DDTSBATCH_VERSION='\"${v:-0.0.0}\"' $INI_DEFINES $CJSON_DEFINES"
	case $1 in
	musl | fault)
		[ "$1" = musl ] || cpp="$cpp -DDTSBATCH_FAULTS"
		{
			echo "CC = $VB/musl/bin/musl-cc"
			echo "CPPFLAGS = $cpp -isystem $VB/musl/include"
			echo "CFLAGS = -std=c11 -O2 -fPIE -fvisibility=hidden -ffunction-sections -fdata-sections -fstack-protector-strong -fstack-clash-protection -ffile-prefix-map=$ROOT=."
			echo "LDFLAGS = -L$VB/musl/lib -Wl,--gc-sections,--build-id=none,--as-needed -s"
			echo "LIBS = $LINK_LIBS"
			echo "LIBSTAMP = $VB/musl/all.stamp"
		} >"$O/config.mk.new"
		;;
	san | fuzz)
		san=-fsanitize=address,undefined
		[ "$1" = san ] || san="$san,fuzzer-no-link"
		{
			echo "CC = clang"
			echo "CPPFLAGS = $cpp -DDTSBATCH_FAULTS -isystem $VB/host/include"
			echo "CFLAGS = -std=c11 -O1 -g $san -fno-sanitize-recover=all -fno-omit-frame-pointer"
			echo "LDFLAGS = $san -L$VB/host/lib"
			echo "LIBS = $LINK_LIBS -lpthread"
			echo "LIBSTAMP = $VB/host/all.stamp"
		} >"$O/config.mk.new"
		;;
	esac
	# clang counts signedness into -Wconversion, gcc does not.
	case $1 in
	san | fuzz) echo "WARN = $WARN -Wno-sign-conversion" ;;
	*) echo "WARN = $WARN" ;;
	esac >>"$O/config.mk.new"
	settle "$O/config.mk"
	shift
	make -f $B/gen/Makefile --no-print-directory -k -O -r -j "$JOBS" O="$O" "$@"
}

compile_commands() {
	find src tests/unit tests/fuzz -name '*.c' 2>/dev/null | sort | awk -v root="$ROOT" \
		-v flags="-std=c11 -D_GNU_SOURCE -DDTSBATCH_BUILD_TIME=0 -DDTSBATCH_FAULTS $INI_DEFINES $CJSON_DEFINES -I src -I $B/gen -I tests/unit -I tests/fuzz -isystem $VB/host/include $WARN -Wno-sign-conversion" '
		BEGIN {
			n = split(flags, f, " ")
			args = "\"clang\", \"-DDTSBATCH_VERSION=\\\"0\\\"\""
			for (i = 1; i <= n; i++) args = args ", \"" f[i] "\""
			print "["
		}
		{
			printf "%s{\"directory\": \"%s\", \"file\": \"%s\",\n \"arguments\": [%s, \"-c\", \"%s\"]}", sep, root, $0, args, $0
			sep = ",\n"
		}
		END { print "\n]" }' >compile_commands.json.new
	settle compile_commands.json
}

# --- verbs ------------------------------------------------------------------

product() {
	libraries musl
	generate
	compile_commands
	tree musl all || return 1
	cp $B/musl/dtsbatch $B/dtsbatch.new
	settle $B/dtsbatch
}

san_tree() {
	libraries host
	tree san all units
}

total_passed=0
total_failed=0

count() {
	total_passed=$((total_passed + $1))
	total_failed=$((total_failed + $2))
}

# run_units: cmocka programs, several at a time; one line each, everything of a
# failing one.
run_units() {
	# shellcheck disable=SC2016
	for t in tests/unit/test_*.c; do
		[ -x "$B/san/unit/$(basename "$t" .c)" ] && basename "$t" .c
	done | xargs -P "$JOBS" -I{} sh -c '
		s=0
		CMOCKA_MESSAGE_OUTPUT=TAP TEST_VECTORS=tests/vectors timeout 900 "$1/{}" >"$1/{}.log" 2>&1 </dev/null || s=$?
		echo "$s" >"$1/{}.status"' units "$B/san/unit"
	for t in tests/unit/test_*.c; do
		[ -f "$t" ] || continue
		name=$(basename "$t" .c)
		log=$B/san/unit/$name.log
		if [ ! -x "$B/san/unit/$name" ]; then
			count 0 1
			say "FAIL  $name is not built"
			continue
		fi
		status=$(cat "$B/san/unit/$name.status")
		ok=$(grep -c '^ok ' "$log") || :
		bad=$(grep -c '^not ok ' "$log") || :
		if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
		if [ "$ok" -eq 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
		count "$ok" "$bad"
		if [ "$bad" -eq 0 ]; then
			say "ok    $name ($ok)"
		else
			sed 's/^/    /' "$log"
			say "FAIL  $name ($bad of $((ok + bad)), status $status)"
		fi
	done
}

# run_script FILE: a test script whose last "N passed, N failed" line counts.
run_script() {
	[ -f "$1" ] || return 0
	say "--- $1"
	log=$B/$(basename "$1").log
	rm -f "$log.status"
	shell="sh"
	case $(head -n 1 "$1") in *bash*) shell="bash" ;; esac
	{
		status=0
		DTSBATCH=$ROOT/$B/dtsbatch DTSBATCH_SAN=$ROOT/$B/san/dtsbatch "$shell" "$1" ${2:+"$2"} </dev/null 2>&1 || status=$?
		echo "$status" >"$log.status"
	} | tee "$log"
	status=$(cat "$log.status")
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1) || :
	if [ -z "$line" ]; then
		count 0 1
		say "FAIL  $1 ended with status $status and no summary"
		return 0
	fi
	ok=${line%% *}
	bad=${line#*passed, }
	bad=${bad%% *}
	if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
	count "$ok" "$bad"
}

summary() {
	say "$total_passed passed, $total_failed failed"
	[ "$total_failed" -eq 0 ]
}

verb_test() {
	if ! product; then
		say "FAIL  the product does not build"
		count 0 1
	fi
	if san_tree; then :; else
		say "FAIL  a sanitizer or unit test program does not build"
		count 0 1
	fi
	tree fault all || count 0 1
	unlocked
	run_units
	run_script tests/build-checks.sh
	run_script tests/run.sh
	run_script tests/fault.sh --short
	summary
}

verb_fuzz() {
	product
	libraries host
	tree fuzz fuzzers
	unlocked
	for t in tests/fuzz/fuzz_*.c; do
		[ -f "$t" ] || continue
		name=$(basename "$t" .c)
		seeds=tests/fuzz/corpus/${name#fuzz_}
		mkdir -p "$B/fuzz/corpus/$name"
		set -- "$B/fuzz/corpus/$name"
		[ ! -d "$seeds" ] || set -- "$@" "$seeds"
		if "$B/fuzz/fuzz/$name" -max_total_time="${FUZZ_SECONDS:-20}" -timeout=10 -rss_limit_mb=2048 \
			-artifact_prefix="$B/fuzz/$name-" -print_final_stats=1 "$@" >"$B/fuzz/$name.log" 2>&1; then
			count 1 0
			say "ok    $name ($(sed -n 's/^stat::number_of_executed_units: *//p' "$B/fuzz/$name.log") runs)"
		else
			count 0 1
			tail -n 40 "$B/fuzz/$name.log"
			say "FAIL  $name"
		fi
	done
	summary
}

verb_fetch() {
	mkdir -p "$DISTFILES"
	for n in $(pinned_names); do
		archive_obtain "$n" "$DISTFILES"
		patches_obtain "$n" "$DISTFILES"
	done
	say "vendor/distfiles is complete"
}

verb_clean() {
	rm -rf $B compile_commands.json
	[ -z "$all" ] || rm -rf "$VB"
}

install='' verb='' all=''
for a in "$@"; do
	case $a in
	--install-deps) install=1 ;;
	--all) all=1 ;;
	-h | --help) usage && exit 0 ;;
	build | test | lint | format | fault | fuzz | bench | fetch | libs | clean)
		[ -z "$verb" ] || die "one verb at a time: $verb, $a"
		verb=$a
		;;
	*) usage >&2 && die "unknown argument: $a" ;;
	esac
done
verb=${verb:-build}

if [ "$verb" = clean ]; then
	verb_clean
	exit
fi
dependencies "$verb"
if [ "$verb" = format ]; then
	find src tests -name '*.[ch]' -print0 | xargs -0 clang-format -i
	exit
fi
locked "$VB/.lock"
case $verb in
build) product ;;
libs) libraries musl && libraries host ;;
fetch) verb_fetch ;;
test) verb_test ;;
lint)
	product
	libraries host
	unlocked
	exec bash tests/lint.sh
	;;
fuzz) verb_fuzz ;;
fault)
	product
	tree fault all
	unlocked
	run_script tests/fault.sh # prints its own summary
	[ "$total_failed" -eq 0 ]
	;;
bench)
	product
	unlocked
	[ ! -f tests/bench.sh ] || exec sh tests/bench.sh
	;;
esac
