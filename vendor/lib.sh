# shellcheck shell=sh
# Shared by build.sh and the recipes in this folder: finding, checking and
# unpacking third-party sources, and compiling them. Sourced, never run.
#
# The caller sets ROOT (the checkout), VB (the cache, vendor/.build) and JOBS.
#
# Where an archive comes from, first match wins:
#   1. vendor/distfiles/          any file there with the pinned sum; for an air-gapped build
#   2. the upstream address       must have the pinned sum
#   3. the distribution           its source package, through its package manager; must have the
#                                 pinned sum, or be a newer release of the same series that the
#                                 package manager's signature vouches for
# The distribution's patches are looked for in every case, as long as they were
# made for the version at hand. What was taken from where is written into
# "vouched.txt" beside the archives and ends up in `dtsbatch version --json`.

# The distribution release whose source packages hold the pinned versions.
DISTRIBUTION_RELEASE=trixie

DISTFILES=$ROOT/vendor/distfiles

say() {
	printf '%s\n' "$*"
}

warn() {
	printf 'warning: %s\n' "$*" >&2
}

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# pin NAME FIELD: one field of the line of versions.txt
pin() {
	awk -v n="$1" -v f="$2" '
		BEGIN { split("name version series package sha256 url", k); for (i in k) col[k[i]] = i }
		$1 == n { print $col[f]; exit }' "$ROOT/vendor/versions.txt"
}

pinned_names() {
	awk '!/^#/ && NF { print $1 }' "$ROOT/vendor/versions.txt"
}

sum_of() {
	sha256sum "$1" | cut -d' ' -f1
}

# --- upstream ---------------------------------------------------------------

# download URL FILE: one attempt with whatever downloader the machine has.
download() {
	rm -f "$2"
	if command -v curl >/dev/null 2>&1; then
		curl -fsSL --proto '=https' --connect-timeout 10 --max-time 300 -o "$2" "$1" 2>/dev/null
	elif command -v wget >/dev/null 2>&1; then
		wget -q --tries=1 --timeout=20 -O "$2" "$1" 2>/dev/null
	elif [ -x /usr/lib/apt/apt-helper ]; then
		/usr/lib/apt/apt-helper -o Acquire::Retries=0 -o Acquire::https::Timeout=10 \
			download-file "$1" "$2" >/dev/null 2>&1
	else
		return 1
	fi
	[ -s "$2" ]
}

# --- the distribution's source packages -------------------------------------

# A source list for DISTRIBUTION_RELEASE, derived from the machine's own lists,
# so that mirror, proxy, keys and components are those the operator chose. It
# lives in the cache; the machine's own lists are not touched.
apt_list_derive() {
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck source=/dev/null
	id=$(. /etc/os-release && echo "${ID:-}")
	wanted=$DISTRIBUTION_RELEASE
	[ "$id" = debian ] || wanted=$codename
	[ -n "$codename" ] || return 1
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -f "$f" ] && cat "$f" && echo
	done | awk -v RS= -v from="$codename" -v to="$wanted" '
		{
			if ($0 !~ "(^|\n)Suites:[^\n]*" from || $0 ~ "(^|\n)Enabled: *no") next
			n = split($0, line, "\n"); suites = ""
			for (i = 1; i <= n; i++) {
				if (line[i] ~ /^#/) continue
				if (line[i] ~ /^Types:/) line[i] = "Types: deb-src"
				if (line[i] ~ /^Suites:/) gsub(from, to, line[i])
				print line[i]
			}
			print ""
		}' >"$1.sources"
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$f" ] && cat "$f" && echo
	done | awk -v from="$codename" -v to="$wanted" '
		$1 == "deb" && index($0, from) {
			$1 = "deb-src"; rest = $0; gsub(from, to, rest)
			if (!seen[rest]++) print rest
		}' >"$1.list"
	[ -s "$1.sources" ] || rm -f "$1.sources"
	[ -s "$1.list" ] || rm -f "$1.list"
	[ -f "$1.sources" ] || [ -f "$1.list" ]
}

# apt_prepare: fetch the source indexes once per run; sets APT_READY to yes or no.
apt_prepare() {
	[ -z "${APT_READY:-}" ] || { [ "$APT_READY" = yes ]; return; }
	APT_READY=no
	command -v apt-get >/dev/null 2>&1 && [ -r /etc/os-release ] || return 1
	A=$VB/apt
	rm -rf "$A/parts"
	mkdir -p "$A/parts" "$A/lists/partial" "$A/cache/archives/partial"
	apt_list_derive "$A/parts/src" || return 1
	# Our own folders, none of the machine's hooks, and signatures are not optional.
	cat >"$A/apt.conf" <<-CONF
		#clear APT::Update::Pre-Invoke;
		#clear APT::Update::Post-Invoke;
		#clear APT::Update::Post-Invoke-Success;
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$A/parts";
		Dir::State::lists "$A/lists";
		Dir::Cache "$A/cache";
		APT::Get::List-Cleanup "false";
		APT::Get::AllowUnauthenticated "false";
		Acquire::AllowInsecureRepositories "false";
		Acquire::AllowWeakRepositories "false";
		Acquire::Languages "none";
		Acquire::Retries "2";
		APT::Sandbox::User "$(id -un)";
	CONF
	say "reading the source package index of $DISTRIBUTION_RELEASE"
	if ! apt-get -c "$A/apt.conf" -qq update >"$A/update.log" 2>&1; then
		warn "apt-get update for source packages failed:"
		sed 's/^/    /' "$A/update.log" >&2
		return 1
	fi
	APT_READY=yes
}

# apt_revisions PACKAGE: revisions the signed indexes list, newest first.
apt_revisions() {
	apt-cache -c "$VB/apt/apt.conf" showsrc --only-source "$1" 2>/dev/null |
		awk '$1 == "Version:" { print $2 }' | sort -u | while read -r r; do
		printf '%s\n' "$r"
	done | sort_revisions
}

# Newest first by the distribution's own comparison; lists are a few lines long.
sort_revisions() {
	sorted=
	while read -r r; do
		out='' placed=''
		for s in $sorted; do
			if [ -z "$placed" ] && dpkg --compare-versions "$r" gt "$s"; then
				out="$out $r" placed=1
			fi
			out="$out $s"
		done
		[ -n "$placed" ] || out="$out $r"
		sorted=$out
	done
	for s in $sorted; do printf '%s\n' "$s"; done
}

# apt_uri PACKAGE REVISION PATTERN: "file sha256" of the matching archive.
apt_file() {
	apt-get -c "$VB/apt/apt.conf" --print-uris --only-source source "$1=$2" 2>/dev/null |
		awk -v p="$3" '$1 ~ /^\047/ && $2 ~ p { sub("SHA256:", "", $4); print $2, $4; exit }'
}

# apt_get PACKAGE REVISION diff|tar: download into the current folder; apt itself
# checks the sum against the signed index.
apt_get() {
	apt-get -c "$VB/apt/apt.conf" -qq --download-only --only-source "--$3-only" \
		source "$1=$2" >"$VB/apt/get.log" 2>&1
}

# --- obtaining --------------------------------------------------------------

# vouch DIR KIND NAME VERSION ORIGIN REVISION SUM FILE
vouch() {
	v=$1/vouched.txt
	touch "$v"
	awk -v k="$2" -v n="$3" '!($1 == k && $2 == n)' "$v" >"$v.new"
	shift
	printf '%s %s %s %s %s %s %s\n' "$@" >>"$v.new"
	mv "$v.new" "$v"
}

# vouched DIR KIND NAME: the row, if its file is there and unchanged.
vouched() {
	[ -f "$1/vouched.txt" ] || return 1
	row=$(awk -v k="$2" -v n="$3" '$1 == k && $2 == n' "$1/vouched.txt")
	[ -n "$row" ] || return 1
	# shellcheck disable=SC2086
	set -- "$1" $row
	# $1 dir, $2 kind, $3 name, $4 version, $5 origin, $6 revision, $7 sum, $8 file
	[ "$8" = - ] || { [ -f "$1/$8" ] && [ "$(sum_of "$1/$8")" = "$7" ]; } || return 1
	printf '%s\n' "$row"
}

archive_suffix() {
	case $1 in
	*.tar.gz) echo tar.gz ;;
	*.tar.bz2) echo tar.bz2 ;;
	*.tar.xz) echo tar.xz ;;
	*) echo tar ;;
	esac
}

# archive_obtain NAME DIR: put the release archive into DIR and vouch for it.
archive_obtain() {
	name=$1 dir=$2
	version=$(pin "$name" version) sum=$(pin "$name" sha256) url=$(pin "$name" url)
	series=$(pin "$name" series) package=$(pin "$name" package)

	row=$(vouched "$dir" source "$name") && {
		# A pin that moved makes an older vouching worthless.
		case " $row " in *" $sum "* | *" newer "*) return 0 ;; esac
	}
	file=$name-$version.$(archive_suffix "$url")
	part=$dir/.part-$name

	if [ "$dir" != "$DISTFILES" ] && [ -d "$DISTFILES" ]; then
		for f in "$DISTFILES"/*; do
			if [ ! -f "$f" ] || [ "$(sum_of "$f")" != "$sum" ]; then continue; fi
			cp "$f" "$dir/$file"
			vouch "$dir" source "$name" "$version" distfiles - "$sum" "$file"
			say "$name $version: from vendor/distfiles"
			return 0
		done
		if row=$(vouched "$DISTFILES" source "$name"); then
			# shellcheck disable=SC2086
			set -- $row
			warn "$name: vendor/distfiles holds $3 instead of the pinned $version; it was vouched for when it was fetched"
			cp "$DISTFILES/$7" "$dir/$7"
			vouch "$dir" source "$name" "$3" distfiles newer "$6" "$7"
			return 0
		fi
	fi
	if [ -z "${DTSBATCH_OFFLINE:-}" ]; then
		if download "$url" "$part"; then
			if [ "$(sum_of "$part")" = "$sum" ]; then
				mv "$part" "$dir/$file"
				vouch "$dir" source "$name" "$version" upstream - "$sum" "$file"
				say "$name $version: from upstream"
				return 0
			fi
			warn "$name: $url does not have the pinned sum; not used"
		fi
		rm -f "$part"
		if apt_prepare; then
			archive_from_distribution && return 0
		fi
	fi
	die "$name $version: no source. Put $file (SHA-256 $sum, from $url) into vendor/distfiles/"
}

archive_from_distribution() {
	for revision in $(apt_revisions "$package"); do
		upstream=${revision%-*}
		upstream=${upstream#*:}
		upstream=${upstream%%[+~]*}
		# shellcheck disable=SC2254
		case $upstream in $series) ;; *) continue ;; esac
		found=$(apt_file "$package" "$revision" '[.]orig[.]tar[.][a-z0-9]+$')
		[ -n "$found" ] || continue
		osum=${found#* } ofile=${found%% *}
		if [ "$osum" != "$sum" ] && ! dpkg --compare-versions "$upstream" gt "$version"; then
			continue
		fi
		rm -rf "$dir/.apt-$name"
		mkdir -p "$dir/.apt-$name"
		# The tar download also lists signature files that may be missing; what
		# counts is that the archive is there with the sum of the signed index.
		(cd "$dir/.apt-$name" && apt_get "$package" "$revision" tar) || :
		if [ ! -f "$dir/.apt-$name/$ofile" ] || [ "$(sum_of "$dir/.apt-$name/$ofile")" != "$osum" ]; then
			rm -rf "$dir/.apt-$name"
			continue
		fi
		file=$name-$upstream.$(archive_suffix "$ofile")
		mv "$dir/.apt-$name/$ofile" "$dir/$file"
		rm -rf "$dir/.apt-$name"
		if [ "$osum" = "$sum" ]; then
			vouch "$dir" source "$name" "$version" distribution - "$osum" "$file"
			say "$name $version: from the distribution's source package"
		else
			vouch "$dir" source "$name" "$upstream" distribution newer "$osum" "$file"
			warn "$name: taking $upstream, a newer release of the pinned series $series, from the distribution's signed source package (pinned: $version)"
		fi
		return 0
	done
	return 1
}

# patches_obtain NAME DIR: the distribution's patch archive for the version at
# hand; never fatal, but never silent either.
patches_obtain() {
	name=$1 dir=$2
	package=$(pin "$name" package)
	# shellcheck disable=SC2046
	set -- $(vouched "$dir" source "$name")
	have=$3 source_origin=$4
	row=$(vouched "$dir" patches "$name") && {
		# shellcheck disable=SC2086
		set -- $row
		[ "$3" = "$have" ] && [ "$7" != - ] && return 0
		# Tried before and not to be had: ask again only in a later run of fetch.
		[ "$3" = "$have" ] && [ "$dir" != "$DISTFILES" ] && {
			missing_patches
			return 0
		}
	}
	if [ "$dir" != "$DISTFILES" ] && row=$(vouched "$DISTFILES" patches "$name"); then
		# shellcheck disable=SC2086
		set -- $row
		if [ "$3" = "$have" ] && [ "$7" != - ]; then
			cp "$DISTFILES/$7" "$dir/$7"
			vouch "$dir" patches "$name" "$have" distfiles "$5" "$6" "$7"
			return 0
		fi
	fi
	if [ "$source_origin" != distfiles ] && [ -z "${DTSBATCH_OFFLINE:-}" ] && apt_prepare; then
		newest=
		for revision in $(apt_revisions "$package"); do
			case ${revision#*:} in "$have"-* | "$have"[+~]*-*) ;; *) continue ;; esac
			: "${newest:=$revision}"
			found=$(apt_file "$package" "$revision" '[.]debian[.]tar[.][a-z0-9]+$')
			[ -n "$found" ] || continue
			psum=${found#* } pfile=${found%% *}
			rm -rf "$dir/.apt-$name"
			mkdir -p "$dir/.apt-$name"
			if (cd "$dir/.apt-$name" && apt_get "$package" "$revision" diff) &&
				[ "$(sum_of "$dir/.apt-$name/$pfile")" = "$psum" ]; then
				mv "$dir/.apt-$name/$pfile" "$dir/$pfile"
				rm -rf "$dir/.apt-$name"
				vouch "$dir" patches "$name" "$have" distribution "$revision" "$psum" "$pfile"
				[ "$revision" = "$newest" ] ||
					warn "$name: the distribution lists revision $newest but does not serve its patches; taking those of $revision. Later security fixes are missing."
				return 0
			fi
			rm -rf "$dir/.apt-$name"
		done
	fi
	vouch "$dir" patches "$name" "$have" none - - -
	missing_patches
}

missing_patches() {
	warn "$name $have: THE DISTRIBUTION'S PATCHES ARE MISSING; building the pristine release"
}

# --- building ---------------------------------------------------------------

# unpack NAME DEST: unpack the archive and apply the patches the recipe wants
# (its $skip_patches, shell patterns, names those it does not).
# Leaves the number applied in DEST.patches.
unpack() {
	name=$1 dest=$2 dl=$VB/download
	# shellcheck disable=SC2046
	set -- $(vouched "$dl" source "$name")
	file=$7
	rm -rf "$dest"
	mkdir -p "$dest"
	tar -xf "$dl/$file" -C "$dest" --strip-components=1 --no-same-owner
	echo 0 >"$dest.patches"
	# shellcheck disable=SC2046
	set -- $(vouched "$dl" patches "$name")
	if [ "${7:--}" = - ]; then return 0; fi
	rm -rf "$dest.debian"
	mkdir -p "$dest.debian"
	tar -xf "$dl/$7" -C "$dest.debian" --no-same-owner
	n=0
	[ -f "$dest.debian/debian/patches/series" ] || return 0
	# shellcheck disable=SC2013
	for p in $(sed 's/#.*//; s/[[:space:]].*//' "$dest.debian/debian/patches/series"); do
		skip=
		for s in ${skip_patches:-}; do
			# shellcheck disable=SC2254
			case $p in $s) skip=1 ;; esac
		done
		[ -z "$skip" ] || continue
		if ! patch -d "$dest" -p1 -f -N -s --no-backup-if-mismatch \
			<"$dest.debian/debian/patches/$p" >"$dest.patch.log" 2>&1; then
			sed 's/^/    /' "$dest.patch.log" >&2
			warn "$name: the distribution's patch $p does not apply; BUILDING THE PRISTINE RELEASE WITHOUT ANY PATCH"
			rm -rf "$dest"
			mkdir -p "$dest"
			tar -xf "$dl/$file" -C "$dest" --strip-components=1 --no-same-owner
			n=0
			break
		fi
		n=$((n + 1))
	done
	echo "$n" >"$dest.patches"
	rm -rf "$dest.debian" "$dest.patch.log"
}

# compile_archive OUT FILE...: compile C files with $CC $CFLAGS side by side and
# put the objects into the static library OUT.
compile_archive() {
	out=$1
	shift
	rm -rf "$out.o"
	mkdir -p "$out.o"
	# shellcheck disable=SC2016
	printf '%s\n' "$@" | xargs -P "$JOBS" -n 1 sh -c \
		'o=$(basename "$1" .c); exec $CC $CFLAGS -c "$1" -o "'"$out.o"'/$o.o"' compile
	rm -f "$out.new"
	(cd "$out.o" && ${AR:-ar} rcsD "$out.new" ./*.o)
	mv "$out.new" "$out"
	rm -rf "$out.o"
}

# --- the libraries of one target --------------------------------------------

# What a program must define before it includes the headers of these two.
INI_DEFINES='-DINI_USE_STACK=0 -DINI_ALLOW_REALLOC=1 -DINI_MAX_LINE=2097152 -DINI_HANDLER_LINENO=1 -DINI_ALLOW_INLINE_COMMENTS=0 -DINI_ALLOW_MULTILINE=0 -DINI_CALL_HANDLER_ON_NEW_SECTION=1'
CJSON_DEFINES='-DCJSON_NESTING_LIMIT=256'

# target_setup musl|host: compiler and flags for the libraries of a target.
# musl: what goes into the product. host: the same libraries on the machine's
# own C library, for the sanitizer and fuzzing builds.
target_setup() {
	TARGET=$1 PREFIX=$VB/$1
	PREFIX_MAP="-ffile-prefix-map=$VB=vendor -ffile-prefix-map=$ROOT=."
	CC=gcc
	CFLAGS="-O2 -fPIE -ffunction-sections -fdata-sections -fstack-protector-strong -fstack-clash-protection $PREFIX_MAP"
	if [ "$TARGET" = musl ]; then CC=$VB/musl/bin/musl-cc; fi
	export TARGET PREFIX PREFIX_MAP CC CFLAGS JOBS ROOT VB
}

# The compiler driver that sees musl instead of the machine's C library. The
# wrapper musl installs ignores -static-pie on some distributions, so the link
# is spelled out here: start files, no dynamic linker, no text relocations.
musl_cc_write() {
	gcc_include=$(gcc -print-file-name=include)
	crtbegin=$(gcc -print-file-name=crtbeginS.o) crtend=$(gcc -print-file-name=crtendS.o)
	cat >"$VB/musl/bin/musl-cc" <<-WRAP
		#!/bin/sh
		# Written by vendor/lib.sh.
		M='$VB/musl'
		link=1
		for a in "\$@"; do
			case \$a in -c | -S | -E | -M | -MM | -fsyntax-only | -v | -V | --version | -dump* | -print-*) link= ;; esac
		done
		if [ -z "\$link" ]; then
			exec gcc -nostdinc -isystem "\$M/include" -isystem '$gcc_include' "\$@"
		fi
		exec gcc -nostdinc -isystem "\$M/include" -isystem '$gcc_include' -nostdlib -nostartfiles -static -fPIE \\
			-Wl,-pie,--no-dynamic-linker,-z,text,-z,relro,-z,now,-z,noexecstack \\
			"\$M/lib/rcrt1.o" "\$M/lib/crti.o" '$crtbegin' "-L\$M/lib" "\$@" \\
			-Wl,--start-group -lc -lgcc -lgcc_eh -Wl,--end-group '$crtend' "\$M/lib/crtn.o"
	WRAP
	chmod +x "$VB/musl/bin/musl-cc"
}

# library_key NAME: changes whenever the library has to be built again.
library_key() {
	{
		grep -v '^[[:space:]]*#' "$ROOT/vendor/$1.sh"
		sed -n 's/^# recipe-input: //p' "$ROOT/vendor/$1.sh" | while read -r f; do cat "$ROOT/vendor/$f"; done
		vouched "$VB/download" source "$1" | awk '{ print $4, $6 }'
		vouched "$VB/download" patches "$1" | awk '{ print $4, $6 }'
		printf '%s\n' "$PREFIX" "$CFLAGS" "$INI_DEFINES" "$CJSON_DEFINES" "$(gcc -dumpfullversion)"
		case $TARGET-$1 in
		musl-musl) ;;
		musl-*) cat "$VB/musl/musl.stamp" ;;
		esac
		if [ "$1" = curl ]; then cat "$VB/$TARGET/mbedtls.stamp"; fi
	} | sha256sum | cut -d' ' -f1
}

# library_build NAME: build it for the current target unless it is up to date.
library_build() {
	[ "$TARGET-$1" != host-musl ] || return 0
	key=$(library_key "$1")
	stamp=$PREFIX/$1.stamp
	[ "$(cat "$stamp" 2>/dev/null)" != "$key" ] || return 0
	say "building $1 for $TARGET"
	rm -f "$stamp"
	mkdir -p "$PREFIX/include" "$PREFIX/lib" "$PREFIX/bin"
	skip_patches=
	# shellcheck source=/dev/null
	. "$ROOT/vendor/$1.sh"
	unpack "$1" "$PREFIX/src/$1"
	# A shell of its own, so that -e counts inside the recipe.
	if ! sh -ec '. "$ROOT/vendor/lib.sh"; . "$ROOT/vendor/$1.sh"; cd "$PREFIX/src/$1"; build' \
		recipe "$1" >"$PREFIX/$1.log" 2>&1 </dev/null; then
		tail -n 30 "$PREFIX/$1.log" >&2
		die "$1 does not build for $TARGET; the whole log is $PREFIX/$1.log"
	fi
	if [ "$TARGET-$1" = musl-musl ]; then musl_cc_write; fi
	cp "$PREFIX/src/$1.patches" "$PREFIX/$1.patches"
	rm -rf "$PREFIX/src/$1" "$PREFIX/src/$1.patches"
	echo "$key" >"$stamp"
}

# libraries_obtain: every archive at hand in the download cache.
libraries_obtain() {
	mkdir -p "$VB/download"
	for n in $(pinned_names); do
		archive_obtain "$n" "$VB/download"
		patches_obtain "$n" "$VB/download"
	done
}

# libraries_build musl|host
libraries_build() (
	target_setup "$1"
	mkdir -p "$PREFIX/src"
	library_build musl
	# Two chains side by side: configure scripts use one processor each.
	(library_build mbedtls && library_build curl) &
	chain=$!
	side=0
	(library_build libmicrohttpd && library_build inih && library_build cjson) || side=1
	wait "$chain" || side=1
	exit "$side"
)

# libraries_rows musl: initializer rows for `struct vendor_info` (src/cli).
libraries_rows() {
	echo '/* Written by build.sh: what the libraries inside were built from.'
	echo ' * name, version, origin of the archive, revision of the patches, how many. */'
	for n in $(pinned_names); do
		# shellcheck disable=SC2046
		set -- $(vouched "$VB/download" source "$n")
		version=$3 origin=$4
		# shellcheck disable=SC2046
		set -- $(vouched "$VB/download" patches "$n")
		revision=$5
		applied=$(cat "$VB/musl/$n.patches")
		[ "$revision" != - ] || revision=
		printf '{"%s", "%s", "%s", "%s", %d},\n' "$n" "$version" "$origin" "$revision" "$applied"
	done
}
