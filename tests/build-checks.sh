#!/bin/bash
# What the build promises: one static file, small, hardened, reproducible, at home
# in an empty root and in a container image, sources taken only when vouched for.
# shellcheck disable=SC2016
# Called by `./build.sh test` after the build. Ends with "N passed, N failed".
set -u
PATH=$PATH:/usr/sbin:/sbin # chroot, also where a plain user's path lacks it
export PATH
cd "$(dirname "$0")/.." || exit 1
ROOT=$PWD
BIN=${DTSBATCH:-$ROOT/build/dtsbatch}
VB=${VB:-${DTSBATCH_VENDOR_CACHE:-$ROOT/vendor/.build}}
export LC_ALL=C
unset MAKEFLAGS MAKELEVEL

passed=0
failed=0
W=$(mktemp -d "${TMPDIR:-/tmp}/dtsbatch-build.XXXXXX") || exit 1
trap 'rm -rf "$W"' EXIT
trap 'exit 130' INT TERM

# check NAME COMMAND...: passes if the command does; its output is shown if not.
check() {
	local name=$1
	shift
	if "$@" >"$W/out" 2>&1; then
		passed=$((passed + 1))
		echo "ok    $name"
	else
		failed=$((failed + 1))
		tail -n 40 "$W/out" | sed 's/^/    /'
		echo "FAIL  $name"
	fi
}

skip() {
	echo "skip  $1: $2"
}

# --- the file ---------------------------------------------------------------

is_static_pie() {
	readelf -hlW "$BIN" >"$W/elf" && readelf -dW "$BIN" >"$W/dyn" || return 1
	grep -q 'Type: *DYN' "$W/elf" || { echo "not position independent"; return 1; }
	! grep -q INTERP "$W/elf" || { echo "asks for a dynamic linker"; return 1; }
	! grep -q NEEDED "$W/dyn" || { echo "needs shared libraries"; return 1; }
	! grep -q TEXTREL "$W/dyn" || { echo "relocates its text"; return 1; }
	case $(ldd "$BIN" 2>&1) in *'statically linked'* | *'not a dynamic'*) ;; *) ldd "$BIN"; return 1 ;; esac
}

is_hardened() {
	grep -q GNU_RELRO "$W/elf" || { echo "no relro"; return 1; }
	grep -qE 'BIND_NOW|NOW' "$W/dyn" || { echo "lazy binding"; return 1; }
	grep GNU_STACK "$W/elf" | grep -q 'RW ' || { echo "executable stack"; return 1; }
	! grep LOAD "$W/elf" | grep -q 'RWE' || { echo "writable code"; return 1; }
}

is_stripped() {
	! readelf -SW "$BIN" | grep -qE '\.symtab|\.debug_'
}

is_small() {
	local n
	n=$(stat -c %s "$BIN")
	echo "$n bytes"
	[ "$n" -lt 2000000 ]
}

has_no_paths() {
	! strings -a "$BIN" | grep -F -e "$ROOT" -e "$VB" -e /usr/include
}

check "one static-pie file" is_static_pie
check "hardened: relro, no lazy binding, no executable stack" is_hardened
check "stripped" is_stripped
check "under 2 MB ($(stat -c %s "$BIN" 2>/dev/null) bytes)" is_small
check "no path of the building machine inside" has_no_paths

# --- the same bytes from another folder; incremental builds -----------------

copy_tree() {
	mkdir -p "$1/vendor"
	cp -R build.sh CHANGELOG.md src "$1/"
	cp vendor/*.* "$1/vendor/"
	[ ! -d vendor/distfiles ] || ln -s "$ROOT/vendor/distfiles" "$1/vendor/distfiles"
}

is_reproducible() {
	copy_tree "$W/copy"
	(cd "$W/copy" && SOURCE_DATE_EPOCH=$(cat "$ROOT/build/gen/build_time") DTSBATCH_VENDOR_CACHE=$VB ./build.sh build) || return 1
	cmp "$W/copy/build/dtsbatch" "$BIN"
}

# One file changed: one compilation, one link, about a second.
is_incremental() {
	local TIMEFORMAT='cpu %U %S'
	sleep 1
	printf '\n' >>"$W/copy/src/cli/main.c"
	{ time (cd "$W/copy" && SOURCE_DATE_EPOCH=$(cat "$ROOT/build/gen/build_time") DTSBATCH_VENDOR_CACHE=$VB ./build.sh build); } >"$W/second" 2>&1
	cat "$W/second"
	# Processor time, because other work on the machine is not ours.
	[ "$(grep -c '^  cc ' "$W/second")" -eq 1 ] && awk '$1 == "cpu" { exit !($2 + $3 < 4) }' "$W/second"
}

check "the same bytes from another folder" is_reproducible
check "a second build compiles only what changed" is_incremental

# --- at home in an empty root -----------------------------------------------

# The file, the example and nothing else: no /etc, no /dev, no /proc, no /tmp.
empty_root() {
	rm -rf "$W/root"
	mkdir -p "$W/root/data"
	cp "$BIN" "$W/root/"
	cp jobs/examples/*.ini "$W/root/data/" 2>/dev/null || :
}

in_root() {
	if [ "$(id -u)" = 0 ]; then
		env -i PATH="$PATH" "$@" chroot "$W/root" "${INSIDE[@]}"
	else
		env -i PATH="$PATH" "$@" unshare -r chroot "$W/root" "${INSIDE[@]}"
	fi
}

runs_in_empty_root() {
	INSIDE=(/dtsbatch version)
	in_root </dev/null
}

names_its_libraries() {
	local n
	INSIDE=(/dtsbatch version --json)
	in_root >"$W/version.json" </dev/null || return 1
	cat "$W/version.json"
	for n in musl inih cjson mbedtls curl libmicrohttpd; do
		grep -q "\"$n\"" "$W/version.json" || { echo "$n is not named"; return 1; }
	done
}

simulates_in_empty_root() {
	INSIDE=(/dtsbatch apply --simulate --yes /data/mysql-to-mysql.ini)
	in_root SOURCE_PASSWORD=a-5ecret TARGET_PASSWORD=b-5ecret </dev/null
}

if [ "$(id -u)" = 0 ] || unshare -r true 2>/dev/null; then
	empty_root
	check "runs in an empty root" runs_in_empty_root
	check "version --json names the libraries" names_its_libraries
	if [ -f "$W/root/data/mysql-to-mysql.ini" ]; then
		check "simulates in an empty root" simulates_in_empty_root
	fi
else
	skip "empty root" "neither root nor user namespaces here"
fi

# --- sources are taken only when vouched for --------------------------------

# A scene: a tree with one pinned library and a scripted world around it. The
# functions that reach out are replaced; everything that judges is the real thing.
scene() {
	S=$W/scene
	rm -rf "$S"
	mkdir -p "$S/vendor/distfiles" "$S/vb/download" "$S/world"
	mkdir -p "$S/world/lib-1.2.3" && echo 'int answer;' >"$S/world/lib-1.2.3/lib.c"
	tar -C "$S/world" -czf "$S/world/lib.tar.gz" lib-1.2.3
	SUM=$(sha256sum <"$S/world/lib.tar.gz" | cut -d' ' -f1)
	mkdir -p "$S/world/debian/patches"
	printf 'fix.patch\n' >"$S/world/debian/patches/series"
	printf -- '--- a/lib.c\n+++ b/lib.c\n@@ -1 +1 @@\n-int answer;\n+int answer = 42;\n' >"$S/world/debian/patches/fix.patch"
	tar -C "$S/world" -cJf "$S/world/lib.debian.tar.xz" debian
	echo "lib 1.2.3 1.2.* lib $SUM https://example.invalid/lib-1.2.3.tar.gz" >"$S/vendor/versions.txt"
}

# in_scene SCRIPT: run it with vendor/lib.sh sourced and no way out but the script's own.
in_scene() {
	LIB=$ROOT/vendor/lib.sh
	env ROOT="$S" VB="$S/vb" JOBS=1 W="$S/world" LIB="$LIB" sh -euc '
		. "$LIB"
		download() { return 1; }
		apt_prepare() { return 1; }
		'"$1"
}

# The distribution has REVISIONS; each is served unless listed in GONE.
DISTRIBUTION='
	apt_prepare() { return 0; }
	apt_revisions() { printf "%s\n" $REVISIONS; }
	apt_file() { case $3 in
		*orig*) echo "lib_${2%-*}.orig.tar.gz $(sum_of "$W/lib.tar.gz")" ;;
		*) echo "lib_$2.debian.tar.xz $(sum_of "$W/lib.debian.tar.xz")" ;; esac; }
	apt_get() { case " $GONE " in *" $2 "*) return 100 ;; esac
		case $3 in
		tar) cp "$W/lib.tar.gz" "lib_${2%-*}.orig.tar.gz" ;;
		diff) cp "$W/lib.debian.tar.xz" "lib_$2.debian.tar.xz" ;; esac; }
	obtain() { archive_obtain lib "$VB/download"; patches_obtain lib "$VB/download"; cat "$VB/download/vouched.txt"; }
'

from_distfiles() {
	scene
	cp "$S/world/lib.tar.gz" "$S/vendor/distfiles/any-name.tgz"
	in_scene 'archive_obtain lib "$VB/download"; cat "$VB/download/vouched.txt"' | grep -q '^source lib 1.2.3 distfiles -'
}

refuses_damage() {
	scene
	cp "$S/world/lib.tar.gz" "$S/vendor/distfiles/lib-1.2.3.tar.gz"
	echo x >>"$S/vendor/distfiles/lib-1.2.3.tar.gz"
	! in_scene 'archive_obtain lib "$VB/download"' >"$W/said" 2>&1 || return 1
	grep "$SUM" "$W/said"
}

refuses_wrong_upstream() {
	scene
	! in_scene 'download() { echo other >"$2"; }; archive_obtain lib "$VB/download"' >"$W/said" 2>&1 || return 1
	grep 'does not have the pinned sum' "$W/said"
}

upstream_before_distribution() {
	scene
	in_scene "$DISTRIBUTION"'REVISIONS="1.2.3-1" GONE=; download() { cp "$W/lib.tar.gz" "$2"; }; obtain' >"$W/said" 2>&1
	cat "$W/said"
	grep -q '^source lib 1.2.3 upstream -' "$W/said" && grep -q '^patches lib 1.2.3 distribution 1.2.3-1 ' "$W/said"
}

patched_from_distribution() {
	scene
	in_scene "$DISTRIBUTION"'REVISIONS="1.2.3-2 1.2.3-1" GONE=; obtain; unpack lib "$VB/src"; cat "$VB/src/lib.c" "$VB/src.patches"' >"$W/said" 2>&1
	cat "$W/said"
	grep -q '^patches lib 1.2.3 distribution 1.2.3-2 ' "$W/said" && grep -q 'answer = 42' "$W/said" && [ "$(tail -n 1 "$W/said")" = 1 ]
}

older_patches_are_said() {
	scene
	in_scene "$DISTRIBUTION"'REVISIONS="1.2.3-2 1.2.3-1" GONE=1.2.3-2
		apt_get() { [ "$2$3" != 1.2.3-2diff ] || return 100; case $3 in tar) cp "$W/lib.tar.gz" "lib_${2%-*}.orig.tar.gz" ;; diff) cp "$W/lib.debian.tar.xz" "lib_$2.debian.tar.xz" ;; esac; }
		obtain' >"$W/said" 2>&1
	cat "$W/said"
	grep -q 'warning: .*does not serve its patches; taking those of 1.2.3-1' "$W/said" && grep -q '^patches lib 1.2.3 distribution 1.2.3-1 ' "$W/said"
}

missing_patches_are_said() {
	scene
	in_scene "$DISTRIBUTION"'REVISIONS="1.2.3-1" GONE=
		apt_get() { case $3 in tar) cp "$W/lib.tar.gz" "lib_${2%-*}.orig.tar.gz" ;; diff) return 100 ;; esac; }
		obtain; unpack lib "$VB/src"; cat "$VB/src.patches"' >"$W/said" 2>&1
	cat "$W/said"
	grep -q 'PATCHES ARE MISSING' "$W/said" && [ "$(tail -n 1 "$W/said")" = 0 ]
}

bad_patch_leaves_pristine() {
	scene
	printf -- '--- a/lib.c\n+++ b/lib.c\n@@ -1 +1 @@\n-nothing like it\n+int answer = 42;\n' >"$S/world/debian/patches/fix.patch"
	tar -C "$S/world" -cJf "$S/world/lib.debian.tar.xz" debian
	in_scene "$DISTRIBUTION"'REVISIONS="1.2.3-1" GONE=; obtain; unpack lib "$VB/src"; cat "$VB/src/lib.c" "$VB/src.patches"' >"$W/said" 2>&1
	cat "$W/said"
	grep -q 'does not apply' "$W/said" && grep -q '^int answer;$' "$W/said" && [ "$(tail -n 1 "$W/said")" = 0 ]
}

newer_release_is_named() {
	scene
	sed -i 's/ 1\.2\.3 1\.2/ 1.2.2 1.2/; s/[0-9a-f]\{64\}/'"$(printf '%064d' 0)"'/' "$S/vendor/versions.txt"
	in_scene "$DISTRIBUTION"'REVISIONS="1.2.3-1" GONE=; obtain' >"$W/said" 2>&1
	cat "$W/said"
	grep -q 'warning: lib: taking 1.2.3, a newer release' "$W/said" && grep -q '^source lib 1.2.3 distribution newer ' "$W/said"
}

other_series_is_refused() {
	scene
	sed -i 's/ 1\.2\.3 1\.2\.\* / 1.1.9 1.1.* /; s/[0-9a-f]\{64\}/'"$(printf '%064d' 0)"'/' "$S/vendor/versions.txt"
	! in_scene "$DISTRIBUTION"'REVISIONS="1.2.3-1" GONE=; obtain' >"$W/said" 2>&1
}

older_release_is_refused() {
	scene
	sed -i 's/ 1\.2\.3 1\.2/ 1.2.4 1.2/; s/[0-9a-f]\{64\}/'"$(printf '%064d' 0)"'/' "$S/vendor/versions.txt"
	! in_scene "$DISTRIBUTION"'REVISIONS="1.2.3-1" GONE=; obtain' >"$W/said" 2>&1
}

# What fetch leaves in vendor/distfiles is enough without any network.
offline_after_fetch() {
	scene
	in_scene "$DISTRIBUTION"'REVISIONS="1.2.3-1" GONE=
		archive_obtain lib "$DISTFILES"; patches_obtain lib "$DISTFILES"' >/dev/null 2>&1 || return 1
	DTSBATCH_OFFLINE=1 in_scene '
		archive_obtain lib "$VB/download"; patches_obtain lib "$VB/download"
		cat "$VB/download/vouched.txt"; unpack lib "$VB/src"; cat "$VB/src.patches"' >"$W/said" 2>&1
	cat "$W/said"
	grep -q '^source lib 1.2.3 distfiles ' "$W/said" && grep -q '^patches lib 1.2.3 distfiles 1.2.3-1 ' "$W/said" && [ "$(tail -n 1 "$W/said")" = 1 ]
}

check "sources: vendor/distfiles comes first, by sum, under any name" from_distfiles
check "sources: a damaged archive is not taken" refuses_damage
check "sources: a wrong upstream archive is not taken" refuses_wrong_upstream
check "sources: upstream comes before the distribution, its patches still apply" upstream_before_distribution
check "sources: the distribution's newest patches are applied" patched_from_distribution
check "sources: patches listed but not served: the older ones, and said" older_patches_are_said
check "sources: no patches to be had: pristine, and said" missing_patches_are_said
check "sources: a patch that does not apply: pristine, and said" bad_patch_leaves_pristine
check "sources: a newer release of the series is taken and named" newer_release_is_named
check "sources: another series is refused" other_series_is_refused
check "sources: an older release is refused" older_release_is_refused
check "sources: after fetch, no network is needed" offline_after_fetch

# --- the container image ----------------------------------------------------

# A base image from a debootstrap root stands in for the one the Dockerfile
# names; it is made once and kept with the built libraries.
BASE_TAR=$VB/check-base.tar

base_root() {
	local mirror suite
	# shellcheck source=/dev/null
	suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
		grep -v '^#' | grep -oE 'https?://[^ ]+' | head -n 1)
	[ -n "$suite" ] && [ -n "$mirror" ] || return 1
	debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev,make,patch,xz-utils,bzip2 \
		"$suite" "$W/base" "$mirror" || return 1
	tar -C "$W/base" --one-file-system -cf "$BASE_TAR.new" . && mv "$BASE_TAR.new" "$BASE_TAR"
	rm -rf "$W/base"
}

B() {
	buildah --root "$W/images" --runroot "$W/run" --storage-driver vfs "$@"
}

image_builds() {
	local c
	[ -f "$BASE_TAR" ] || base_root || return 1
	c=$(B from scratch) && B add -q "$c" "$BASE_TAR" / && B commit -q "$c" localhost/dtsbatch-base && B rm "$c" || return 1
	# A context of its own: tracked files, and the archives already at hand.
	mkdir -p "$W/context"
	copy_tree "$W/context"
	rm -f "$W/context/vendor/distfiles"
	cp -R Dockerfile .dockerignore jobs "$W/context/" || return 1
	mkdir -p "$W/context/vendor/distfiles"
	cp "$VB"/download/* "$W/context/vendor/distfiles/"
	B bud --isolation chroot --build-arg BASE=localhost/dtsbatch-base \
		--build-arg SOURCE_DATE_EPOCH="$(cat build/gen/build_time)" -t localhost/dtsbatch "$W/context" || return 1
}

image_is_right() {
	local c m
	B inspect --type image --format '{{.OCIv1.Config}}' localhost/dtsbatch >"$W/config" || return 1
	cat "$W/config"
	grep -q 65532 "$W/config" && grep -q 'opencontainers.image.licenses:MIT' "$W/config" || return 1
	c=$(B from localhost/dtsbatch) && m=$(B mount "$c") || return 1
	(cd "$m" && find . -mindepth 1 | sort) >"$W/content"
	cat "$W/content"
	[ "$(cat "$W/content")" = "./data
./dtsbatch" ] || return 1
	# As the unprivileged user of the image, nothing being writable.
	chroot --userspec=65532:65532 "$m" /dtsbatch version
}

if ! command -v buildah >/dev/null 2>&1 || ! command -v debootstrap >/dev/null 2>&1; then
	skip "container image" "buildah and debootstrap are needed and not installed"
elif [ "$(id -u)" != 0 ]; then
	skip "container image" "needs root"
elif [ -n "${DTSBATCH_SKIP_IMAGE:-}" ]; then
	skip "container image" "DTSBATCH_SKIP_IMAGE is set"
else
	check "the Dockerfile builds" image_builds
	check "the image: one file, not root, labelled" image_is_right
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
