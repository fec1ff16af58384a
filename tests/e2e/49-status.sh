# shellcheck shell=bash
# status, once and as a live table: --watch until a signal ends it.
simulator_start --time-scale 2000 --log sim.log --world world.json
pair m.ini orders
expect_exit 0 apply --yes --endpoint "$DTS_ENDPOINT" m.ini
expect_exit 0 status --endpoint "$DTS_ENDPOINT" m.ini
expect_out '^ADDRESS +STATUS +SINCE AT LEAST +DELAY +PROGRESS +CLASS +BILLING +WARNINGS$'
expect_out '^synchronization_job\.orders +(Synchronizing|Initializing) +20.*Z +[0-9]+ .*small +PayAsYouGo$'
job=$(sed -n 's/.*"address":"synchronization_job.orders".*"job_id":"\([a-z0-9]*\)".*/\1/p' m.state.json)
cp m.state.json before.json

# wait_for N FILE PATTERN: until N lines of the file match, for 10 seconds at most.
wait_for() {
	local i
	for ((i = 0; i < 200; i++)); do
		[ "$(grep -Ec -e "$3" "$2")" -ge "$1" ] && return 0
		sleep 0.05
	done
	return 1
}

# wait_pid PID: until the child has ended, for 5 seconds at most.
wait_pid() {
	local i
	for ((i = 0; i < 100; i++)); do
		kill -0 "$1" 2>/dev/null || return 0
		sleep 0.05
	done
	return 1
}

# watch_begin ARG...: in the background, its output in watch.out.
watch_begin() {
	: >watch.out
	"$DTS" status --endpoint "$DTS_ENDPOINT" "$@" m.ini >watch.out 2>watch.err </dev/null &
	WATCH=$!
}

# watch_end SIGNAL: its status in $STATUS.
watch_end() {
	STATUS=0
	kill -"$1" "$WATCH" 2>/dev/null
	wait "$WATCH" || STATUS=$?
}

watch_begin --watch=200ms
check "the table comes first" wait_for 1 watch.out '^synchronization_job\.orders +Synchronizing'
check "the status changes behind its back" sim_control "set?job=$job&field=status&value=Suspending"
check "a line tells of it" wait_for 1 watch.out '^synchronization_job\.orders +Suspending +20.*suspended: still billed'
check "and back" sim_control "set?job=$job&field=status&value=Synchronizing"
check "once more" wait_for 2 watch.out '^synchronization_job\.orders +Synchronizing'
sleep 0.5
watch_end TERM
equal "the user stopped watching: 0" 0 "$STATUS"
equal "a head and three lines, however often it looked" 4 "$(wc -l <watch.out)"
check "nothing else was said" test ! -s watch.err

# On a terminal the table is painted over itself.
if have_tty; then
	STATUS=0
	TERM=xterm "$PTY" '' '' timeout --foreground --preserve-status -s TERM 1 "$DTS" status --watch=200ms --endpoint "$DTS_ENDPOINT" m.ini >"$OUT" 2>"$ERR" || STATUS=$?
	equal "on a terminal, too: 0" 0 "$STATUS"
	check "in place" grep -q "$(printf '\033\[2A')" "$OUT"
	check "with its head" grep -Eq 'ADDRESS +STATUS' "$OUT"
fi

# Cheap: one call a round.
before=$(calls)
reads=$(calls DescribeDtsJobs)
watch_begin --watch=100ms --json
check "the first table" wait_for 1 watch.out '"address":"synchronization_job\.orders".*"status":"[Ss]ynchronizing"'
sleep 1
check "failed" sim_control "set?job=$job&field=status&value=Failed"
check "one object per change" wait_for 1 watch.out '"type":"status","address":"synchronization_job\.orders".*"status":"Failed","since":"20.*"warnings":\['
watch_end INT
equal "interrupted: 0" 0 "$STATUS"
cp watch.out "$OUT"
: >"$ERR"
expect_json
equal "nothing but lists" "$(($(calls) - before))" "$(($(calls DescribeDtsJobs) - reads))"
equal "the state was only read" "" "$(cmp m.state.json before.json 2>&1)"

# What another run makes or drops comes and goes in the table.
watch_begin --watch=100ms
check "watched" wait_for 1 watch.out '^synchronization_job\.orders'
pair_sections more >>m.ini
expect_exit 0 apply --yes --endpoint "$DTS_ENDPOINT" m.ini
check "the new one is seen" wait_for 1 watch.out '^synchronization_job\.more +'
expect_exit 0 state rm --yes synchronization_job.more -f m.ini
check "and that it is not tracked any more" wait_for 1 watch.out '^synchronization_job\.more +not tracked'
# A reader that has gone is noticed though nothing changes; a state that is gone is said to be.
"$DTS" status --watch=100ms --endpoint "$DTS_ENDPOINT" m.ini 2>/dev/null </dev/null | head -n 1 >/dev/null &
READER=$!
check "the watch ends with its reader" wait_pid "$READER"
mkdir away && mv m.state.* away/
check "a warning" wait_for 1 watch.err 'm\.state\.json is gone: what it held last is shown'
sleep 0.3
equal "once" 1 "$(grep -c 'is gone' watch.err)"
equal "nothing is untracked by that" 1 "$(grep -c 'not tracked' watch.out)"
mv away/m.state.* .
simulator_stop
sleep 0.5
check "the service is away: it goes on" kill -0 "$WATCH"
begun=$SECONDS
watch_end TERM
equal "still 0" 0 "$STATUS"
check "and at once" test $((SECONDS - begun)) -le 3

expect_exit 64 status --watch=often m.ini
expect_err 'a pause such as 10s'
expect_exit 64 plan --watch m.ini
expect_exit 0 status --help
expect_out '[-]-watch\[=DUR\] '

# An interrupted command tells a machine the status that it ends with.
export ALIBABA_CLOUD_ACCESS_KEY_ID=i ALIBABA_CLOUD_ACCESS_KEY_SECRET=s
"$DTS" plan --json --endpoint http://127.0.0.1:9 m.ini >plan.out 2>/dev/null </dev/null &
WATCH=$!
sleep 1
watch_end TERM
equal "a plan that is stopped" 143 "$STATUS"
check "and its JSON" grep -q '"type":"error","exit":143' plan.out
