# shellcheck shell=bash
# What plan and status say about a job that is paused, has failed or is locked, and that it is true.

pair m.ini a
simulator_start --time-scale 2000 --world w.json --log sim.log
dts_server() {
	dts "$@" --endpoint "$DTS_ENDPOINT"
}
job_id() {
	sed -n 's/.*"address":"synchronization_job.a".*"job_id":"\([a-z0-9]*\)".*/\1/p' m.state.json
}
control() {
	exec 9<>"/dev/tcp/127.0.0.1/$SIM_PORT"
	printf 'GET /_sim/%s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$1" >&9
	cat <&9 >/dev/null
	exec 9<&- 9>&-
}
set_status() {
	control "set?job=$(job_id)&field=status&value=$1"
}
named_command() {
	# shellcheck disable=SC2016
	sed -n 's/.*`dtsbatch \(destroy [^`]*\)`.*/\1/p' "$OUT" | head -n 1
}

dts_server apply --yes m.ini
equal 'a pair is made' 0 "$STATUS"

# Failed, and nobody said whether it shall run.
grep -v '^[[:space:]]*status ' m.ini >quiet.ini
mv quiet.ini m.ini
set_status Failed
dts_server plan m.ini
equal 'a failed job is no change' 0 "$STATUS"
check 'plan tells of the failure' grep -q 'the job is Failed.*started again when its password' "$OUT"
dts_server status m.ini
check 'status tells of the failure' grep -qi 'the job is failed.*started again when its password' "$OUT"
dts_server plan --json m.ini
check 'and as JSON' grep -q '"notice".*synchronization_job.a.*the job is Failed' "$OUT"
SOURCE_PASSWORD=another-5ecret dts_server apply --yes m.ini
equal 'a rotated password is set' 0 "$STATUS"
dts_server status m.ini
check 'and starts the job again' grep -qi ' Synchronizing' "$OUT"
export SOURCE_PASSWORD=another-5ecret

set_status Locked
printf '\n[defaults.synchronization_job]\nstatus = Synchronizing\n' >>m.ini
dts_server plan m.ini
equal 'a locked job is refused' 1 "$STATUS"
check 'with the reason' grep -q 'not allowed:.*pay or renew' "$OUT"
dts_server status m.ini
check 'status says so, too' grep -q 'pay or renew' "$OUT"

# Paused: the command that is named ends the billing, by one call.
set_status Suspending
dts_server plan m.ini
PLANNED=$(named_command)
dts_server status m.ini
equal 'plan and status name the same command' "$PLANNED" "$(named_command)"
check 'it names both' test "${PLANNED#*synchronization_instance.a}" != "$PLANNED" -a "${PLANNED#*synchronization_job.a}" != "$PLANNED"
eval "set -- $PLANNED"
dts_server "$@" --yes
equal 'the named command works' 0 "$STATUS"
check 'it deletes' grep -q '2 deleted' "$ERR"
equal 'by one call' 1 "$(calls DeleteDtsJob)"
simulator_stop
equal 'and releases the instance' 0 "$(instances w.json)"
