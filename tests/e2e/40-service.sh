# shellcheck shell=bash
# Over a real socket, with credentials, an endpoint and a world of its own.
simulator_start --time-scale 2000 --log sim.log --world world.json
pair m.ini orders
run() { expect_exit "$1" "${@:2}" --endpoint "$DTS_ENDPOINT"; }

run 2 plan --detailed-exitcode m.ini
run 0 apply --yes m.ini
check "a real state" test -f m.state.json
refute "not a simulated one" grep -q '"simulated":true' m.state.json
run 0 plan --detailed-exitcode m.ini
check "no secret anywhere" secret_free m.state.json world.json sim.log "$OUT" "$ERR"
refute "nor that of the key" grep -l testsecret m.state.json world.json sim.log "$OUT" "$ERR"
run 0 status m.ini
expect_out '^synchronization_job\.orders +[A-Za-z]+'
run 0 status --json m.ini
expect_json
expect_out '"address":"synchronization_job\.orders"'

# Credentials: none, half, wrong.
(
	unset ALIBABA_CLOUD_ACCESS_KEY_SECRET
	dts plan --endpoint "$DTS_ENDPOINT" m.ini
	[ "$STATUS" = 77 ] && grep -q 'ALIBABA_CLOUD_ACCESS_KEY_SECRET' "$ERR"
)
equal "half a key pair: 77, the missing one named" 0 $?
(
	unset ALIBABA_CLOUD_ACCESS_KEY_ID ALIBABA_CLOUD_ACCESS_KEY_SECRET
	export ALICLOUD_ACCESS_KEY=x ALICLOUD_SECRET_KEY=y
	dts plan --endpoint "$DTS_ENDPOINT" m.ini
	[ "$STATUS" = 77 ] && grep -q 'ALICLOUD' "$ERR"
)
equal "Terraform's variables are pointed at" 0 $?
ALIBABA_CLOUD_ACCESS_KEY_SECRET=wrong run 77 plan m.ini
expect_err '[Rr]equest.?[Ii][Dd]|[0-9A-F]{8}-[0-9A-F]{4}'
ALIBABA_CLOUD_ACCESS_KEY_ID=nobody run 77 plan m.ini

# Plain HTTP to elsewhere; another region.
expect_exit 77 plan --endpoint http://127.0.0.2:9 --insecure-http --region cn-beijing m.ini
expect_err 'accept-endpoint'
expect_exit 64 plan --endpoint http://192.0.2.1:80 m.ini
expect_err 'insecure-http'
expect_exit 64 plan --endpoint 'ftp://x' m.ini

# Taken over: what an earlier tool made, by its id. The state is lost, the objects are not.
instance=$(sed -n 's/.*"address":"synchronization_instance.orders".*"instance_id":"\([a-z0-9]*\)".*/\1/p' m.state.json)
job=$(sed -n 's/.*"address":"synchronization_job.orders".*"job_id":"\([a-z0-9]*\)".*/\1/p' m.state.json)
rm -f m.state.*
run 0 import synchronization_instance.orders "$instance" --yes -f m.ini
run 0 import synchronization_job.orders "$job" --yes -f m.ini
run 0 plan --detailed-exitcode m.ini
equal "bought once in all" 1 "$(calls CreateDtsInstance)"
run 64 import synchronization_job.nobody "$job" --yes -f m.ini
run 64 import synchronization_job.orders "$job" --yes -f m.ini
expect_err 'already'
expect_exit 0 state list -f m.ini
expect_out '^synchronization_job\.orders .*imported'

# Forgotten: stays on the service.
expect_exit 64 state rm synchronization_job.orders -f m.ini
expect_err '[-]-yes'
expect_exit 0 state rm synchronization_job.orders --yes -f m.ini
equal "one record is left" 1 "$(recorded m.state.json)"
equal "nothing was deleted" 0 "$(calls DeleteDtsJob)"
run 0 import synchronization_job.orders "$job" --yes -f m.ini
run 0 destroy --yes m.ini
equal "the pair was released by one call" 1 "$(calls DeleteDtsJob)"
run 2 plan --detailed-exitcode m.ini

simulator_stop
equal "the simulator ends with 0" 0 "$SIM_STATUS"
equal "the wrong key pair" 64 "$("$DTS" simulator --keys nonsense >/dev/null 2>&1; echo $?)"

# A pair of directions: both jobs go, the instance with them, and nobody waits for what the service does not know any more.
simulator_start --time-scale 2000 --log two.log --world two.world.json
cp "$ROOT/jobs/examples/two-way.ini" two.ini
run 0 apply --yes two.ini
DTS_TIMEOUT=20 run 0 destroy --yes two.ini
equal "nothing is left of the two-way instance" 0 "$(instances two.world.json)"
equal "nor in the state" 0 "$(recorded two.state.json)"
simulator_stop
