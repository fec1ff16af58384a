# shellcheck shell=bash disable=SC2016
# What a plan says beside its operations: keys taken out, protection, guards, an unknown delay.
pair m.ini orders
printf 'error_notice = true\nprotect = true\n' >>m.ini
expect_exit 0 apply --simulate --yes m.ini
expect_exit 0 plan --simulate --detailed-exitcode m.ini

# A key taken out stays on the service: said until an apply has seen it, and never a change.
sed -i '/^error_notice/d' m.ini
expect_exit 0 plan --simulate --detailed-exitcode m.ini
expect_out 'error_notice taken out: no longer managed, the service keeps true'
expect_out 'Nothing to do'
expect_exit 0 apply --simulate --yes --detailed-exitcode m.ini
expect_exit 0 plan --simulate --detailed-exitcode m.ini
refute "said once" grep -q 'taken out' "$OUT"
cp m.sim.state.json before.json
expect_exit 0 apply --simulate --yes m.ini
check "a run without work leaves the state as it was" cmp before.json m.sim.state.json

# Protection is lifted by a line of its own.
sed -i '/^protect/d' m.ini
expect_exit 2 plan --simulate --detailed-exitcode m.ini
expect_out 'protect +true -> false'
expect_exit 0 apply --simulate --yes m.ini

# Where an apply that nobody watches would stop, the plan says so and ends as ever.
sed -i 's/^dts_job_name.*/dts_job_name = renamed/' m.ini
expect_exit 2 plan --simulate --detailed-exitcode --max-changes 0 m.ini
expect_out 'apply --yes. would stop: the plan has 1 change'
expect_exit 0 plan --simulate --max-changes 0 m.ini
expect_exit 0 plan --simulate --json --max-changes 0 m.ini
expect_out '"type":"guard"'
expect_exit 0 plan --simulate --max-changes 1 m.ini
refute "nothing would stop it" grep -q 'would stop' "$OUT"
expect_exit 4 apply --simulate --yes --max-changes 0 m.ini

# A job that does not run has no delay that anybody knows.
sed -i 's/^status.*/status = Suspending/' m.ini
expect_exit 0 apply --simulate --yes m.ini
expect_exit 0 status --simulate -f m.ini
expect_out 'synchronization_job\.orders.* unknown '

# What is left when all sections are gone is recorded, and said to be.
printf '[dtsbatch]\nregion = cn-hangzhou\n' >none.ini
expect_exit 0 plan --simulate --state m.sim.state.json none.ini
expect_out 'Nothing to do: nothing is wanted, and what is recorded is orphaned'

# A key that had a meaning at creation only is not said to be kept by anybody.
pair k.ini begun 'checkpoint = 1610540493'
sed -i 's/^instance_class .*/&\nauto_pay = true/' k.ini
expect_exit 0 apply --simulate --yes k.ini
sed -i '/^checkpoint/d; /^auto_pay/d' k.ini
expect_exit 0 plan --simulate --detailed-exitcode k.ini
expect_out 'checkpoint taken out: it had a meaning at creation only'
expect_out 'auto_pay taken out: it had a meaning at creation only'
expect_not_out 'the service keeps'

# Given to a job that began without one it changes nothing, and what it does from then on is said.
rm -f k.sim.*
expect_exit 0 apply --simulate --yes k.ini
echo 'checkpoint = 1610540500' >>k.ini
expect_exit 0 plan --simulate k.ini
expect_out 'the job began without it; recorded, nothing is sent: changed once more, it is a replacement'
expect_exit 0 apply --simulate --yes k.ini
sed -i 's/^checkpoint.*/checkpoint = 1610540501/' k.ini
expect_exit 1 plan --simulate k.ini
expect_out 'synchronization_job\.begun +replace +would be: resync, replace$'
expect_out 'only a replacement can change checkpoint'
expect_exit 0 explain replace
expect_out 'emptied \(ResetDtsJob\)'

# Nothing is left of a selection: that is no empty manifest.
expect_exit 0 plan --simulate --exclude '*' k.ini
expect_out 'Nothing to do: --target and --exclude leave nothing in'

# A member taken out of reserve stays on the service, and nothing is sent: a note, once.
pair r.ini kept
sed -i 's/^reserve.*/reserve = {"targetTableMode":"2","maxRetryTime":"600"}/' r.ini
expect_exit 0 apply --simulate --yes r.ini
sed -i 's/^reserve.*/reserve = {"targetTableMode":"2"}/' r.ini
expect_exit 0 plan --simulate --detailed-exitcode r.ini
expect_out 'reserve: taken out of it, the service keeps maxRetryTime: the API cannot remove it'
expect_exit 0 apply --simulate --yes r.ini
expect_exit 0 plan --simulate --detailed-exitcode r.ini
expect_not_out 'taken out'

# A secret inside reserve that no answer shows: its rotation is a change, and it is sent, alone.
simulator_start --time-scale 2000 --log r.log
on=(--endpoint "$DTS_ENDPOINT")
reserved() { # what the last UPDATE_RESERVED carried
	grep '"UPDATE_RESERVED"' r.log | tail -n 1 | sed 's/.*"Reserved":"\(.*\)"},"status".*/\1/; s/\\//g'
}
pair s.ini sink
reserve() { sed -i "s/^reserve.*/reserve = $1/" s.ini; }
export SINK=one-5ecret
reserve '{"targetTableMode":"2","sinkPassword":"${env:SINK}"}'
expect_exit 0 apply --yes "${on[@]}" s.ini
expect_exit 0 plan --detailed-exitcode "${on[@]}" s.ini
expect_exit 0 plan --detailed-exitcode --refresh=false "${on[@]}" s.ini
export SINK=two-5ecret
expect_exit 2 plan --detailed-exitcode "${on[@]}" s.ini
expect_out '^ +sinkPassword: not what was applied last$'
expect_exit 2 plan --detailed-exitcode --refresh=false "${on[@]}" s.ini
expect_exit 0 apply --yes "${on[@]}" s.ini
equal "what rotated is sent, masked in the log" '{"sinkPassword":"***"}' "$(reserved)"
expect_exit 0 plan --detailed-exitcode "${on[@]}" s.ini
reserve '{"targetTableMode":"2","foo":"bar","newSecret":"${env:SINK}","sinkPassword":"${env:SINK}","deep":{"sinkSecret":"${env:SINK}"}}'
expect_exit 0 apply --yes "${on[@]}" s.ini
equal "a new secret is sent with what else is new" '{"foo":"bar","newSecret":"***","deep":{"sinkSecret":"***"}}' "$(reserved)"
expect_exit 0 plan --detailed-exitcode "${on[@]}" s.ini
expect_exit 0 plan --detailed-exitcode --refresh=false "${on[@]}" s.ini
cp s.state.key lost.key
rm s.state.key
expect_exit 0 plan --detailed-exitcode "${on[@]}" s.ini
mv lost.key s.state.key
simulator_stop

# A variable that is named like a secret is one wherever it stands.
pair n.ini named
sed -i 's/^dts_job_name.*/dts_job_name = j-${env:TARGET_PASSWORD}/; s/"name": *"shop"/"name":"${env:SOURCE_PASSWORD}"/' n.ini
expect_exit 0 plan --simulate n.ini
expect_out 'dts_job_name +\(secret\)'
expect_out 'db_list +\(secret\)'
expect_exit 0 apply --simulate --yes n.ini
expect_exit 0 plan --simulate --detailed-exitcode n.ini
expect_exit 0 plan --simulate --json n.ini
expect_exit 0 plan --simulate --out n.plan n.ini
check "no secret in state, world or plan" secret_free n.sim.state.json n.plan "$OUT" "$ERR"
check "nor in the state with the hidden members" secret_free s.state.json
# What names a place is none.
mkdir secrets && printf 'from-5ecret' >secrets/target
export SECRETS_DIR=$PWD/secrets
pair d.ini place
sed -i 's/^destination_endpoint_password.*/destination_endpoint_password = ${file:${var.dir}\/target}/' d.ini
printf '\n[variables]\ndir = ${env:SECRETS_DIR}\n' >>d.ini
expect_exit 0 plan --simulate d.ini

# A job that never ran is configured once more, or moved to a cluster: both say what that does to it.
simulator_start --time-scale 2000 --log c.log
pair c.ini rests
sed -i 's/^status .*/status = Suspending/' c.ini
on=(--endpoint "$DTS_ENDPOINT")
expect_exit 0 apply "${on[@]}" --yes c.ini
equal "configured" 1 "$(grep -c ConfigureDtsJob c.log)"
sed -i 's/^source_endpoint_instance_id .*/source_endpoint_instance_id = rm-other/' c.ini
expect_exit 0 plan "${on[@]}" c.ini
expect_out 'synchronization_job\.rests +update in place +online'
expect_exit 0 apply "${on[@]}" --yes c.ini
equal "configured once more" 2 "$(grep -c ConfigureDtsJob c.log)"
echo 'dedicated_cluster_id = dtscluster_one' >>c.ini
expect_exit 0 plan "${on[@]}" c.ini
expect_out 'synchronization_job\.rests +update in place +pause'
expect_exit 0 apply "${on[@]}" --yes c.ini
equal "moved" 1 "$(grep -c ModifyDtsJobDedicatedCluster c.log)"
equal "by that call alone" 2 "$(grep -c ConfigureDtsJob c.log)"
expect_exit 0 plan "${on[@]}" --detailed-exitcode c.ini

# With a purchase of its own before it, a job comes to its cluster by the same call; the purchase is not spent on a refusal.
pair d.ini placed 'dedicated_cluster_id = dtscluster_two'
expect_exit 0 apply "${on[@]}" --yes d.ini
equal "moved after it was configured" 2 "$(grep -c ModifyDtsJobDedicatedCluster c.log)"
refute "not sent with the configuration" grep -q 'ConfigureDtsJob.*dtscluster' c.log
expect_exit 0 plan "${on[@]}" --detailed-exitcode d.ini
simulator_stop

# Configured first and left at rest, a job stays in PreCheckPass: what needs it running is refused at once, what does not is done.
simulator_start --time-scale 2000 --log p.log
cp "$ROOT/jobs/examples/configure-first.ini" p.ini
sed -i 's/= Synchronizing/= Suspending/' p.ini
printf 'timeout_update = 8s\njob_parameters = [{"module":"03","name":"sink.batch.size.maximum","value":"500"}]\n' >>p.ini
on=(--endpoint "$DTS_ENDPOINT")
expect_exit 0 apply "${on[@]}" --yes p.ini
expect_exit 0 plan "${on[@]}" --detailed-exitcode p.ini
expect_out 'they are set when the job is started'
echo 'dedicated_cluster_id = dtscluster_one' >>p.ini
expect_exit 0 apply "${on[@]}" --yes p.ini
expect_exit 0 plan "${on[@]}" --detailed-exitcode p.ini
sed -i 's/= small/= large/' p.ini
expect_exit 1 plan "${on[@]}" p.ini
expect_out 'not allowed: .*it was never started: set status = Synchronizing'
sed -i 's/= Suspending/= Synchronizing/' p.ini
expect_exit 0 apply "${on[@]}" --yes p.ini
expect_exit 0 plan "${on[@]}" --detailed-exitcode p.ini

# Such a job carries its payment itself: its plan says until when it is paid.
sed -i 's/^payment_type .*/payment_type = Subscription\npayment_duration = 1\npayment_duration_unit = Month/' p.ini
expect_exit 0 apply "${on[@]}" --yes p.ini
expect_exit 0 plan "${on[@]}" --detailed-exitcode p.ini
expect_out 'prepaid until 20'
simulator_stop
