# shellcheck shell=bash
# A newcomer's first day: apply, nothing to do, change, destroy; against the built-in simulator.
export DTSBATCH_SIM_LOG=sim.log
pair m.ini orders
expect_exit 2 plan --simulate --detailed-exitcode m.ini
expect_out '\+ synchronization_instance\.orders +create +pays'
expect_out '\+ synchronization_job\.orders +create'
expect_out 'Plan: 2 to create, 0 to update'
expect_out 'Impact: 1 pays'
rm -f sim.log
equal "a plan leaves nothing behind" "m.ini" "$(ls)"

expect_exit 0 apply --simulate --yes m.ini
expect_err 'synchronization_job\.orders.*done'
expect_err '[Nn]othing real was touched'
expect_err 'm\.sim\.state\.json'
expect_err 'm\.sim\.world\.json'
equal "state, key and lock are mine alone" "600 600 600" \
	"$(stat -c %a m.sim.state.json m.sim.state.key m.sim.state.lock | tr '\n' ' ' | sed 's/ $//')"
check "no real state" test ! -e m.state.json
check "no journal is left" test ! -e m.sim.state.journal
equal "two resources are recorded" 2 "$(recorded m.sim.state.json)"
equal "one purchase" 1 "$(calls CreateDtsInstance)"
equal "one configuration" 1 "$(calls ConfigureDtsJob)"
equal "no superfluous start" 0 "$(calls StartDtsJob)"
check "no secret anywhere" secret_free m.sim.state.json m.sim.world.json sim.log "$OUT" "$ERR"

expect_exit 0 plan --simulate --detailed-exitcode m.ini
expect_out 'Nothing to do'
expect_exit 0 apply --simulate --yes m.ini
cp m.sim.state.json before.json
expect_exit 0 apply --simulate --yes m.ini
check "a run without work leaves the state as it was" cmp before.json m.sim.state.json
expect_exit 0 apply --simulate --yes --quiet m.ini
expect_silence

# Renamed and with another table: in place.
sed 's/^dts_job_name.*/dts_job_name = orders-2/; s/"all": true } }/"all": true }, "crm": { "name": "crm", "all": true } }/' m.ini >n.ini
mv n.ini m.ini
expect_exit 2 plan --simulate --detailed-exitcode m.ini
expect_out '~ synchronization_job\.orders +update'
expect_out 'dts_job_name +"orders" -> "orders-2"'
expect_out '\+ crm'
expect_exit 0 apply --simulate --yes --quiet m.ini
expect_out 'update'
equal "renamed by its own call" 1 "$(calls ModifyDtsJobName)"
equal "still one purchase" 1 "$(calls CreateDtsInstance)"
expect_exit 0 plan --simulate --detailed-exitcode m.ini

# A rotated password is noticed, never shown.
TARGET_PASSWORD=rotated-5ecret expect_exit 2 plan --simulate --detailed-exitcode m.ini
expect_out 'destination_endpoint_password +\(secret\)'
export TARGET_PASSWORD=rotated-5ecret
expect_exit 0 apply --simulate --yes m.ini
equal "one password call" 1 "$(calls ModifyDtsJobPassword)"
check "no secret after rotation" secret_free m.sim.state.json m.sim.world.json sim.log "$OUT" "$ERR"

# The state, for people and machines.
expect_exit 0 state list --simulate -f m.ini
expect_out '^synchronization_job\.orders +[a-z0-9]+'
expect_exit 0 state show synchronization_job.orders --simulate -f m.ini
expect_out 'dts_job_name +orders-2'
expect_not_out '5ecret'
expect_exit 64 state show synchronization_job.order --simulate -f m.ini
expect_err 'did you mean synchronization_job\.orders'
expect_exit 0 state list --json --state m.sim.state.json --simulate
expect_json
expect_out '"record":\{"address":"synchronization_job\.orders"'
expect_exit 0 state show synchronization_job.orders --json --simulate -f m.ini
expect_json

# A vanished section is an orphan, not a victim.
sed '/^\[synchronization_job/,$d' m.ini >half.ini
expect_exit 0 plan --simulate --state m.state.json half.ini
expect_out 'orphan'
expect_exit 0 apply --simulate --yes --state m.state.json half.ini
equal "nothing was deleted" 0 "$(calls DeleteDtsJob)"
equal "still recorded" 2 "$(recorded m.sim.state.json)"

# The other way round is refused: a real run does not take a simulated state.
cp m.sim.state.json fake.state.json
ALIBABA_CLOUD_ACCESS_KEY_ID=i ALIBABA_CLOUD_ACCESS_KEY_SECRET=s expect_exit 78 plan --state fake.state.json m.ini
expect_err 'state of a simulation'

expect_exit 0 plan --simulate m.ini
expect_exit 0 destroy --simulate --yes m.ini
expect_err 'synchronization_job\.orders.*done'
equal "nothing is recorded any more" 0 "$(recorded m.sim.state.json)"
expect_exit 0 destroy --simulate --yes m.ini
expect_exit 2 plan --simulate --detailed-exitcode m.ini
