# shellcheck shell=bash
# The resolv.conf of a cluster must not break the name resolution of a static binary: one bad search domain, a family
# that is refused, ndots:5. In a mount namespace of its own, so it needs root; the name server needs python3.
why=
[ "$(id -u)" = 0 ] || why='not root'
[ -n "$why" ] || unshare -m true 2>/dev/null || why='unshare -m does not work here'
[ -n "$why" ] || [ -e /etc/resolv.conf ] || why='no /etc/resolv.conf to mount over'
[ -n "$why" ] || HOME=/nonexistent python3 -c 'import socket' 2>/dev/null || why='no python3'
if [ -n "$why" ]; then
	echo "skip: name resolution in a namespace ($why)"
	return 0
fi

export ALIBABA_CLOUD_ACCESS_KEY_ID=id ALIBABA_CLOUD_ACCESS_KEY_SECRET=secret
sed 's|^region *= cn-hangzhou|&\nendpoint = http://dts.region.test:9|' "$ROOT/tests/cases/a05-state-in-db-list.ini" >m.ini
servers=()

# server NAME ADDRESS HOW: a name server whose questions go to NAME.asked.
server() {
	local i
	python3 "$ROOT/tests/cases/a26-dns.py" "$2" "$3" >"$1.asked" 2>"$1.dns" </dev/null &
	servers+=($!)
	for ((i = 0; i < 100; i++)); do
		! grep -qs ready "$1.asked" || return 0
		sleep 0.05
	done
	fail "the name server of $1 starts" "$(cat "$1.dns")"
}

# resolve NAME RESOLV_CONF HOSTS: apply in a namespace where these are /etc/resolv.conf and /etc/hosts.
resolve() {
	local name=$1
	printf '%s' "$2" >"$name.resolv"
	printf '%s' "$3" >"$name.hosts"
	(
		# shellcheck disable=SC2016
		timeout 120 unshare -m sh -c 'mount --bind "$1.resolv" /etc/resolv.conf && mount --bind "$1.hosts" /etc/hosts &&
			shift && exec "$@"' sh "$name" "$DTS" apply --yes --insecure-http --state "$name.state.json" m.ini \
			>"$name.out" 2>"$name.err" </dev/null
		echo $? >"$name.status"
	) &
}

loopback=$'127.0.0.1 localhost\n'
cluster=$'search ns.svc.test svc.test corp.test\noptions ndots:5\n'
many=search
for i in 1 2 3 4 5 6 7 8 9 10 11; do many="$many d$i.test"; done
server cluster 127.0.0.55 4
server servfail 127.0.0.56 2
server many 127.0.0.57 4
server silent 127.0.0.58 silent
runs=()
resolve cluster "nameserver 127.0.0.55"$'\n'"$cluster" "$loopback"
runs+=($!)
resolve servfail "nameserver 127.0.0.56"$'\n'"$cluster" "$loopback"
runs+=($!)
resolve many "nameserver 127.0.0.57"$'\n'"$many corp.test"$'\noptions ndots:5\n' "$loopback"
runs+=($!)
resolve silent "nameserver 127.0.0.58"$'\n'"$cluster" "$loopback"
runs+=($!)
resolve hosts "" "${loopback}127.0.0.2 dts.region.test"$'\n'
runs+=($!)
wait "${runs[@]}"
kill "${servers[@]}"
wait "${servers[@]}" 2>/dev/null

# The name resolves; the connection is what fails.
for name in cluster servfail many hosts; do
	# shellcheck disable=SC2034
	OUT=$name.out ERR=$name.err STATUS=$(cat "$name.status") LAST=$name
	equal "$name: status" 69 "$STATUS"
	expect_err 'onnection refused'
	expect_err '127\.0\.0\.2'
	expect_not_err 'resol'
done
for name in cluster servfail many; do
	equal "$name: questions" 'dts.region.test A dts.region.test AAAA' \
		"$(sed -n 's/ [0-9]*$//p' "$name.asked" | sort | tr '\n' ' ' | sed 's/ $//')"
done

# With all servers silent: the name, the server and the file.
# shellcheck disable=SC2034
OUT=silent.out ERR=silent.err STATUS=$(cat silent.status) LAST=silent
equal "silent: status" 69 "$STATUS"
expect_err 'name resolution'
expect_err 'dts\.region\.test'
expect_err '127\.0\.0\.58'
expect_err '/etc/resolv\.conf'
