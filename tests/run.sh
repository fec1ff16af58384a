#!/bin/bash
# End-to-end tests of the static binary: every file of tests/e2e in a directory of
# its own, several at a time. Arguments: names of files (default: all). The last
# line is "N passed, N failed".
set -u

ROOT=$(cd "$(dirname "$0")/.." && pwd)
DTS=${DTS:-${DTSBATCH:-$ROOT/build/dtsbatch}}
JOBS=${JOBS:-$(nproc 2>/dev/null || echo 2)}
export ROOT DTS

[ -x "$DTS" ] || {
	echo "no binary at $DTS: run ./build.sh first"
	echo "0 passed, 1 failed"
	exit 1
}

WORK=$(mktemp -d "${TMPDIR:-/tmp}/dtsbatch-e2e.XXXXXX") || exit 1
trap '[ -n "${KEEP:-}" ] || rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM

# The terminal of the tests that are asked something.
PTY=$WORK/pty
cc -O1 -D_GNU_SOURCE -Wall -Wextra -Werror -o "$PTY" "$ROOT/tests/pty.c" -lutil || echo "tests/pty.c does not build: nothing is tried on a terminal"
export PTY

# one FILE: its output goes to $WORK/NAME.log, the last line of which counts its checks.
one() {
	local file=$1 name
	name=$(basename "$file" .sh)
	mkdir -p "$WORK/$name"
	cd "$WORK/$name" || exit 1
	# shellcheck source=lib.sh disable=SC1091
	. "$ROOT/tests/lib.sh"
	# shellcheck disable=SC1090
	. "$file"
	finish
}

files=()
if [ $# -gt 0 ]; then
	for a in "$@"; do files+=("$ROOT/tests/e2e/$(basename "$a" .sh).sh"); done
else
	files=("$ROOT"/tests/e2e/*.sh)
fi

running=0
for f in "${files[@]}"; do
	(one "$f") >"$WORK/$(basename "$f" .sh).log" 2>&1 </dev/null &
	running=$((running + 1))
	if [ "$running" -ge "$JOBS" ]; then
		wait -n
		running=$((running - 1))
	fi
done
wait

passed=0
failed=0
for f in "${files[@]}"; do
	name=$(basename "$f" .sh)
	log=$WORK/$name.log
	line=$(grep -E '^checks [0-9]+ [0-9]+$' "$log" | tail -n 1)
	grep -Ev '^checks [0-9]+ [0-9]+$' "$log"
	if [ -z "$line" ]; then
		echo "FAIL  $name: ended early"
		failed=$((failed + 1))
		continue
	fi
	read -r _ ok bad <<<"$line"
	passed=$((passed + ok))
	failed=$((failed + bad))
	if [ "$bad" -eq 0 ]; then echo "ok    $name ($ok)"; else echo "FAIL  $name ($bad of $((ok + bad)))"; fi
done
[ -z "${KEEP:-}" ] || echo "kept: $WORK"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
