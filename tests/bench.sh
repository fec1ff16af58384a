#!/bin/sh
# Figures: duration, CPU, peak memory and API calls for apply, no-op, plan and destroy at several sizes, against the simulator
# without latency. Prints ratios between the sizes: linear work shows the ratio of the sizes. SIZES="10 100 1000 10000" for more.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/build/dtsbatch
sizes=${SIZES:-10 100 1000}
dir=$(mktemp -d "${TMPDIR:-/tmp}/dtsbatch-bench.XXXXXX")
sim=''
trap '[ -z "$sim" ] || kill "$sim" 2>/dev/null; rm -rf "$dir"' EXIT INT TERM
export ALIBABA_CLOUD_ACCESS_KEY_ID=bench ALIBABA_CLOUD_ACCESS_KEY_SECRET=bench-secret SOURCE_PASSWORD=s TARGET_PASSWORD=t
export DTSBATCH_POLL_SCALE=0.1
cd "$dir"

manifest() {
	items=$(awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) printf "%sp%d", (i > 1 ? ", " : ""), i }')
	cat <<-INI
		[dtsbatch]
		region = cn-hangzhou
		[synchronization_instance.pair]
		for_each = $items
		payment_type = PayAsYouGo
		source_endpoint_engine_name = MySQL
		source_endpoint_region = \${region}
		destination_endpoint_engine_name = MySQL
		destination_endpoint_region = \${region}
		instance_class = small
		[synchronization_job.pair]
		for_each = $items
		dts_instance_id = \${synchronization_instance.pair["\${each}"].id}
		dts_job_name = \${each}
		source_endpoint_instance_type = RDS
		source_endpoint_instance_id = rm-\${each}
		source_endpoint_engine_name = MySQL
		source_endpoint_region = \${region}
		source_endpoint_user_name = dts
		source_endpoint_password = \${env:SOURCE_PASSWORD}
		destination_endpoint_instance_type = RDS
		destination_endpoint_instance_id = rm-target
		destination_endpoint_engine_name = MySQL
		destination_endpoint_region = \${region}
		destination_endpoint_user_name = dts
		destination_endpoint_password = \${env:TARGET_PASSWORD}
		reserve = {"targetTableMode": "0"}
		structure_initialization = true
		data_initialization = true
		data_synchronization = true
		status = Synchronizing
		db_list = {"shop": {"name": "shop_\${each}", "all": true}}
	INI
}

# measure NAME SIZE COMMAND...: one row. /proc tells CPU and peak memory of the child through a wrapper shell's times and
# the kernel's own VmHWM, read just before the end by the program's --json summary being absent in plan; so: a watcher.
measure() {
	name=$1 size=$2
	shift 2
	before=$(grep -c '"action"' log 2>/dev/null) || :
	start=$(date +%s%N)
	"$@" >out 2>&1 &
	pid=$!
	peak=0 cpu=0
	while kill -0 $pid 2>/dev/null; do
		m=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' /proc/$pid/status 2>/dev/null) || :
		t=$(awk '{ print $14 + $15 }' /proc/$pid/stat 2>/dev/null) || :
		[ -z "$m" ] || peak=$m
		[ -z "$t" ] || cpu=$t
		sleep 0.01
	done
	status=0
	wait $pid || status=$?
	end=$(date +%s%N)
	after=$(grep -c '"action"' log 2>/dev/null) || :
	ms=$(((end - start) / 1000000))
	printf '%-8s %6d pairs  %7d ms  %6d ms CPU  %6d KiB  %6d calls  exit %d\n' "$name" "$size" "$ms" "$((cpu * 10))" "$peak" \
		"$((after - before))" "$status"
	eval "prev=\${last_$name:-}"
	[ -z "$prev" ] || awk -v a="$prev" -v b="$ms" -v n="$name" 'BEGIN { printf "         %s: %.1f times the duration of the size before\n", n, b / ((a > 0) ? a : 1) }'
	eval "last_$name=$ms"
	[ "$status" = 0 ] || { tail -n 5 out; }
}

for n in $sizes; do
	rm -f ./*
	printf '[limits]\noff = true\n' >scenario
	manifest "$n" >m.ini
	"$bin" simulator --scenario scenario --log log --time-scale 0 >url 2>/dev/null &
	sim=$!
	while ! [ -s url ]; do sleep 0.02; done
	url=$(head -n 1 url)
	measure apply "$n" "$bin" apply --yes --json --endpoint "$url" m.ini
	bytes=$(sed -n 's/.*"type":"summary".*"state_bytes":\([0-9]*\).*/\1/p' out)
	# The peer writes its whole state after every resource: 2,136 bytes each in its own files, so the square of their number.
	awk -v n="$n" -v b="${bytes:-0}" 'BEGIN { printf "         written to the state: %d bytes, %.0f a resource; the peer: %.0f bytes (computed)\n", b, b / (2 * n), 2136 * n * (2 * n + 1) }'
	measure noop "$n" "$bin" apply --yes --endpoint "$url" m.ini
	measure plan "$n" "$bin" plan --detailed-exitcode --endpoint "$url" m.ini
	echo "         state $(wc -c <m.state.json) bytes"
	measure destroy "$n" "$bin" destroy --yes --endpoint "$url" m.ini
	kill "$sim"
	wait "$sim" 2>/dev/null || :
	sim=''
done
echo "start-up, 200 times:"
start=$(date +%s%N)
i=0
while [ $i -lt 200 ]; do
	"$bin" version >/dev/null
	i=$((i + 1))
done
end=$(date +%s%N)
echo "version  $(((end - start) / 200000)) microseconds each (with fork and exec by the shell)"
