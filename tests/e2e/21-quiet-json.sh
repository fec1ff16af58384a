# shellcheck shell=bash
# What cron and machines read.
pair m.ini orders
expect_exit 2 plan --simulate --json --detailed-exitcode m.ini
expect_json
expect_out '"type":"change","address":"synchronization_instance\.orders","action":"create"'
expect_out '"type":"plan".*"create":2'
expect_exit 0 apply --simulate --yes --json m.ini
expect_json
expect_out '"type":"result".*"address":"synchronization_job\.orders".*"result":"done"'
expect_out '"type":"summary".*"create":2'
expect_exit 0 plan --simulate --json m.ini
expect_json
expect_out '"type":"plan","unchanged":2'
expect_exit 0 plan --simulate --quiet m.ini
expect_silence
expect_exit 0 apply --simulate --quiet --yes m.ini
expect_silence

# Something changed: heard of.
sed -i 's/^dts_job_name.*/dts_job_name = other/' m.ini
expect_exit 0 apply --simulate --quiet --yes m.ini
check "a change is reported" test -s "$OUT" -o -s "$ERR"

# No colour in a pipe, and control characters of others never reach a terminal.
name=$(printf 'a\033[31mb.ini')
cp m.ini "$name"
expect_exit 2 plan --simulate --detailed-exitcode "$name"
refute "no escape byte in the output" grep -q "$(printf '\033')" "$OUT" "$ERR"
expect_out 'a.x1b.31mb'

# An orphan is heard of once, and again when the set of orphans changes; nothing is written in between.
pair b.ini one
pair_sections two >>b.ini
pair c.ini one
orphans() { expect_exit 0 apply --simulate --quiet --yes --state b.state.json "$@"; }
expect_exit 0 apply --simulate --yes --state b.state.json b.ini
orphans c.ini
expect_out 'orphaned: synchronization_job\.two'
cp b.sim.state.json told.json
orphans c.ini
expect_silence
check "a silent run leaves the state as it was" cmp -s told.json b.sim.state.json
expect_exit 0 plan --simulate --quiet --state b.state.json c.ini
expect_silence
orphans --target 'synchronization_job.one' c.ini
expect_silence
orphans b.ini # the sections are back: told anew when they vanish once more
orphans c.ini
expect_out 'orphaned: synchronization_job\.two'
expect_exit 0 state rm --simulate --yes --state b.state.json synchronization_job.two
expect_exit 0 plan --simulate --quiet --state b.state.json c.ini
expect_out 'orphaned: synchronization_instance\.two'
orphans --json c.ini
expect_out '"type":"orphan","address":"synchronization_instance\.two"'
orphans c.ini
expect_silence

# What is gone and shall stay so is news once.
simulator_start --time-scale 2000 --world g.world.json
pair g.ini gone 'on_gone = forget'
sed -i 's/^instance_class .*/&\non_gone = forget/' g.ini
gone() { expect_exit 0 "$1" --endpoint "$DTS_ENDPOINT" "${@:2}" g.ini; }
gone apply --yes
instance=$(sed -n 's/.*"instance_id":"\([a-z0-9]*\)".*/\1/p' g.state.json | head -n 1)
check "the instance goes" sim_control "delete?instance=$instance&forget=true"
# Nor is an instance bought for a job that stays gone.
cp g.ini kept.ini
awk '/^\[synchronization_job/ { job = 1 } !(/^on_gone/ && !job)' kept.ini >g.ini
expect_exit 1 plan --endpoint "$DTS_ENDPOINT" g.ini
expect_out 'not allowed: it would be bought for nothing: its job synchronization_job\.gone is gone'
cp kept.ini g.ini
gone plan
expect_out 'gone on the service since .*on_gone = forget: not created again'
expect_out 'Nothing to do: 2'
expect_out 'apply --yes. would stop: 2 of 2 recorded resources are gone'
expect_exit 4 apply --yes --quiet --endpoint "$DTS_ENDPOINT" g.ini
expect_err '2 of 2 recorded resources are gone'
gone apply --yes --quiet --max-gone 2
expect_out 'gone on the service since'
gone apply --yes --quiet
expect_silence
gone plan --json
expect_out '"type":"gone","address":"synchronization_job\.gone","since":"20'
gone status
expect_out '^synchronization_job\.gone +gone +20'
simulator_stop
