#!/bin/bash
# The rules that matter, executable: formatter, analysers, layers, confinement
# of third-party headers, banned calls. Run through `./build.sh lint`, which
# builds the generated headers and compile_commands.json first.
# Arguments: the checks wanted (format clang-tidy headers ...; default: all).
# Ends with "N passed, N failed"; a check whose tool is missing fails.
set -u
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C
JOBS=${JOBS:-$(nproc)}
VB=${VB:-${DTSBATCH_VENDOR_CACHE:-vendor/.build}}
OUT=build/lint
mkdir -p "$OUT/tidy-cache"

passed=0
failed=0

# verdict NAME FILE: the check passed if FILE is empty.
verdict() {
	if [ -s "$2" ]; then
		failed=$((failed + 1))
		head -n "${LINT_LINES:-60}" "$2" | sed 's/^/    /'
		echo "FAIL  $1"
	else
		passed=$((passed + 1))
		echo "ok    $1"
	fi
}

lacking() {
	command -v "$1" >/dev/null 2>&1 && return 1
	echo "$1 is not installed" >"$2"
}

# Everything that is, or is about to be, in the repository.
files() {
	git -c safe.directory='*' ls-files -co --exclude-standard 2>/dev/null | while read -r f; do
		[ -f "$f" ] && echo "$f"
	done
}
files >"$OUT/files"
[ -s "$OUT/files" ] || find . -path ./build -prune -o -path ./vendor/.build -prune -o \
	-path ./vendor/distfiles -prune -o -type f -print | sed 's|^\./||' >"$OUT/files"
grep -E '\.[ch]$' "$OUT/files" | sort >"$OUT/c-files"
grep -E '^src/.*\.[ch]$' "$OUT/c-files" >"$OUT/src-files"

FLAGS=(-std=c11 -D_GNU_SOURCE -DDTSBATCH_VERSION='"0"' -DDTSBATCH_BUILD_TIME=0 -I src -I build/gen
	-I tests/unit -isystem "$VB/host/include")
read -ra defines < <(ROOT=$PWD . vendor/lib.sh && echo "$INI_DEFINES $CJSON_DEFINES")
FLAGS+=("${defines[@]}")

# Code without comments, line numbers kept.
bare() {
	gcc -fpreprocessed -dD -E "$1" 2>/dev/null | awk '
		/^# [0-9]+ "/ { n = $2 - 1; next }
		{ n++; print n ":" $0 }'
}

# grep_bare PATTERN FILE...: matches outside comments as FILE:LINE:TEXT.
grep_bare() {
	local pattern=$1 f
	shift
	for f in "$@"; do
		bare "$f" | grep -E "^[0-9]+:.*($pattern)" | sed "s|^|$f:|"
	done
}

check_format() {
	lacking clang-format "$OUT/format" && return
	xargs -P "$JOBS" -n 20 clang-format --dry-run -Werror <"$OUT/c-files" 2>&1 |
		grep -E 'error:' | sed 's/ \[-Wclang-format-violations\]//' >"$OUT/format"
	# Releases differ in details; the reference decides, others only mention.
	case $(clang-format --version) in
	*"version 14."*) ;;
	*) if [ -s "$OUT/format" ]; then
		echo "warning: this clang-format is not the reference (14) and would change $(cut -d: -f1 "$OUT/format" | sort -u | wc -l) files"
		: >"$OUT/format"
	fi ;;
	esac
}

check_whitespace() {
	grep -vE '^tests/(vectors|cases|fuzz/corpus)/|\.(md|diff|patch)$' "$OUT/files" |
		xargs -d '\n' grep -nIE '[[:space:]]+$' >"$OUT/whitespace" 2>/dev/null
	return 0
}

# One file; a result is kept as long as the preprocessed text and the checks stay.
tidy_one() {
	local f=$1 key stamp log
	stamp=$OUT/tidy-cache/${f//\//_}
	log=$stamp.log
	key=$({ clang "${FLAGS[@]}" -DDTSBATCH_FAULTS -E "$f" 2>/dev/null; cat .clang-tidy "$f"; } | sha256sum)
	if [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then
		return 0
	fi
	if clang-tidy -p . --quiet "$f" >"$log" 2>/dev/null; then
		echo "$key" >"$stamp"
	else
		rm -f "$stamp"
		cat "$log"
		[ -s "$log" ] || echo "$f: clang-tidy failed without a word"
	fi
}

check_tidy() {
	lacking clang-tidy "$OUT/clang-tidy" && return
	export OUT
	export -f tidy_one
	export TIDY_FLAGS="${FLAGS[*]@Q}"
	# shellcheck disable=SC2016
	grep -E '^src/.*\.c$' "$OUT/c-files" | xargs -P "$JOBS" -n 1 bash -c \
		'eval "FLAGS=($TIDY_FLAGS)"; tidy_one "$1"' tidy >"$OUT/clang-tidy" 2>&1
}

check_cppcheck() {
	lacking cppcheck "$OUT/cppcheck" && return
	cppcheck -q -j "$JOBS" --std=c11 --language=c --enable=warning,performance,portability \
		--inline-suppr --suppress=nullPointerRedundantCheck --suppress=missingInclude --suppress=missingIncludeSystem \
		--suppress='*:build/gen/*' --template='{file}:{line}: {severity}: {message} [{id}]' \
		-D_GNU_SOURCE -D__linux__ -DDTSBATCH_VERSION='"0"' -DDTSBATCH_BUILD_TIME=0 \
		-I src -I build/gen src >"$OUT/cppcheck" 2>&1
}

check_shell() {
	lacking shellcheck "$OUT/shellcheck" && return
	while read -r f; do
		case $f in
		*.sh) echo "$f" ;;
		*.*) ;;
		*) case $(head -c 40 "$f" | head -n 1 | tr -d '\0') in '#!'*sh) echo "$f" ;; esac ;;
		esac
	done <"$OUT/files" >"$OUT/shell-files"
	xargs -P "$JOBS" -n 4 shellcheck -f gcc -x <"$OUT/shell-files" >"$OUT/shellcheck" 2>&1
}

# Lower layers know nothing of higher ones; store and remote not of each other;
# the simulator shares nothing with the client but base.
check_layers() {
	local f layer allowed inc
	while read -r f; do
		layer=${f#src/}
		layer=${layer%%/*}
		case $layer in
		base) allowed='base' ;;
		model) allowed='base|model' ;;
		store) allowed='base|model|store' ;;
		remote) allowed='base|model|remote' ;;
		run) allowed='base|model|store|remote|run' ;;
		cli) allowed='base|model|store|remote|run|cli|sim' ;;
		sim) allowed='base|sim' ;;
		*) allowed='none' ;;
		esac
		grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' "$f" | while IFS= read -r inc; do
			case $inc in
			*'"ca_bundle.h"'* | *'"vendor_info.h"'*) ;;
			*) grep -qE "\"($allowed)/" <<<"$inc" || echo "$f:$inc" ;;
			esac
		done
	done <"$OUT/src-files" >"$OUT/layers"
}

check_confined() {
	local f
	while read -r f; do
		grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]+<(ini|cJSON|cjson/|curl/|mbedtls/|psa/|microhttpd)' "$f" |
			while IFS= read -r inc; do
				case $f:$inc in
				src/model/manifest.c:*'<ini.h>' | src/base/json.c:*cJSON.h\>) ;;
				src/remote/http.c:*'<curl/'* | src/remote/http_*.c:*'<curl/'*) ;;
				src/remote/http_internal.h:*'<curl/'*) ;;
				src/base/hash.c:*'<mbedtls/'* | src/remote/http_tls.c:*'<mbedtls/'*) ;;
				src/remote/http_tls.c:*'<psa/'* | src/base/hash.c:*'<psa/'*) ;;
				src/sim/serve.c:*'<microhttpd.h>') ;;
				*) echo "$f:$inc" ;;
				esac
			done
	done <"$OUT/src-files" >"$OUT/confined"
}

check_headers() {
	# shellcheck disable=SC2016
	grep -E '^src/.*\.h$' "$OUT/src-files" | sed 's|^src/||' | xargs -P "$JOBS" -I{} bash -c \
		'printf "#include \"%s\"\n#include \"%s\"\n" "$1" "$1" | clang "${@:2}" -Wall -Wextra -Werror -fsyntax-only -x c - 2>&1 | sed "s|^|$1: |"' \
		headers {} "${FLAGS[@]}" >"$OUT/headers" 2>&1
}

check_banned() {
	mapfile -t all <"$OUT/src-files"
	grep_bare '\b(strcpy|strcat|strncat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|atof|system|popen|alloca|tmpnam|mktemp|setjmp|longjmp) *\(' \
		"${all[@]}" >"$OUT/banned"
}

check_exit() {
	mapfile -t some < <(grep -vE '^src/(cli/main|base/sys)\.c$' "$OUT/src-files")
	grep_bare '(^|[^_a-zA-Z0-9.>])(_?exit|_Exit|quick_exit) *\(' "${some[@]}" >"$OUT/exit"
}

# Nothing of the machine it was written on, and no mirror of any package registry:
# the names are taken from this machine's own configuration, not kept here.
check_places() {
	{
		cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
			grep -v '^#' | grep -oE 'https?://[^/ ]+' | sed 's|.*//||; s|.*@||' | sort -u
		echo '/wor''k/'
	} >"$OUT/places-names"
	grep -vE '^tests/vectors/' "$OUT/files" | xargs -d '\n' grep -nIFf "$OUT/places-names" >"$OUT/places" 2>/dev/null
	return 0
}

check_tree() {
	local f
	for f in README.md LICENSE CHANGELOG.md Dockerfile .dockerignore .editorconfig src/README.md vendor/versions.txt; do
		[ -f "$f" ] || echo "$f is missing"
	done >"$OUT/tree"
	grep -qE '^## \[?[0-9]+\.[0-9]+\.[0-9]+' CHANGELOG.md || echo 'CHANGELOG.md names no version' >>"$OUT/tree"
	grep -E '^vendor/' "$OUT/files" | grep -vE '^vendor/([a-z_]+\.(sh|c|h)|versions\.txt)$' |
		sed 's/$/: only recipes and pins live in vendor/' >>"$OUT/tree"
}

# Budgets of src/README.md: said, never failed.
report_budgets() {
	# shellcheck disable=SC2016
	grep '\.c$' "$OUT/src-files" | xargs awk '
		FNR == 1 { if (file != "" && lines > 700) print "warning: " file ": " lines " lines"; file = FILENAME; deps = 0 }
		{ lines = FNR }
		/^#include "/ { if (++deps == 16) print "warning: " FILENAME ": more than 15 project headers" }
		/^[a-z].*\(/ && !/;[ \t]*$/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
		/^{/ { start = FNR }
		/^}/ && start {
			len = FNR - start - 1; n++; size[n] = len
			if (len > 60) over++
			if (len > 120) print "warning: " FILENAME ":" start ": " name "() has " len " lines"
			start = 0
		}
		END {
			if (lines > 700) print "warning: " file ": " lines " lines"
			for (len = 0; len < 2000 && seen < 0.9 * n; len++) for (i = 1; i <= n; i++) if (size[i] == len) seen++
			printf "note: %d functions, 90%% within %d lines, %d (%.1f%%) above 60\n", n, len - 1, over, 100 * over / (n ? n : 1)
		}'
	grep '\.h$' "$OUT/src-files" | xargs wc -l | awk '$2 != "total" && $1 > 150 { print "warning: " $2 ": header of " $1 " lines" }'
}

run() {
	local name=$1 out=$OUT/$2 t=$SECONDS
	case " $wanted " in '  ' | *" $2 "*) ;; *) return ;; esac
	: >"$out"
	"$3"
	verdict "$name ($((SECONDS - t)) s)" "$out"
}

wanted=$*
run "formatting" format check_format
run "trailing blanks" whitespace check_whitespace
run "layers: includes go downwards" layers check_layers
run "third-party headers stay confined" confined check_confined
run "every header compiles alone" headers check_headers
run "no banned calls" banned check_banned
run "one exit path" exit check_exit
run "no names of machines or mirrors" places check_places
run "files of the tree" tree check_tree
run "shellcheck" shellcheck check_shell
run "cppcheck" cppcheck check_cppcheck
run "clang-tidy" clang-tidy check_tidy
[ -n "$wanted" ] || report_budgets

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
