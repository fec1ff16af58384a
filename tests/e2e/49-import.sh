# shellcheck shell=bash
# `import` takes over and does nothing else: nothing is bought, nothing changed.
simulator_start --time-scale 2000 --log sim.log --world world.json
pair m.ini orders
run() { expect_exit "$1" "${@:2}" --endpoint "$DTS_ENDPOINT"; }
# what changes something, except what the first apply did
writes() { grep -cvE '"action":"(Describe|List)' sim.log || :; }

run 0 apply --yes m.ini
instance=$(sed -n 's/.*"address":"synchronization_instance.orders".*"instance_id":"\([a-z0-9]*\)".*/\1/p' m.state.json)
job=$(sed -n 's/.*"address":"synchronization_job.orders".*"job_id":"\([a-z0-9]*\)".*/\1/p' m.state.json)
rm -f m.state.*
before=$(writes)

# A wrong id: nothing happens.
run 1 import synchronization_job.orders nosuchjob --yes -f m.ini
expect_out 'nosuchjob does not exist'
refute "nothing is recorded" test -e m.state.json

# The job brings its instance along.
run 0 import --dry-run synchronization_job.orders "$job" -f m.ini
refute "a preview records nothing" test -e m.state.json
run 0 import synchronization_job.orders "$job" --yes -f m.ini
equal "both are recorded" 2 "$(recorded m.state.json)"
check "the instance by its id" grep -q "\"id\":\"$instance\"" m.state.json
equal "no call that changes anything" "$before" "$(writes)"
run 0 plan --detailed-exitcode m.ini

# What is refused takes nothing along.
rm -f m.state.*
sed -i.kept 's/^source_endpoint_instance_id .*/source_endpoint_instance_id = rm-other/' m.ini
run 1 import synchronization_job.orders "$job" --yes -f m.ini
expect_out 'synchronization_job\.orders +import$'
expect_out 'not allowed: what is imported differs in source_endpoint_instance_id'
expect_out 'not done: synchronization_job\.orders is not allowed'
refute "nothing is recorded" test -e m.state.json
mv m.ini.kept m.ini

# A class that the service would not lower hinders nobody from taking over what there is; the next apply is told.
sed -i.kept 's/^instance_class .*/instance_class = micro/' m.ini
run 0 import synchronization_job.orders "$job" --yes -f m.ini
expect_out 'taken over as it is; the next apply will refuse to change it: the class can only rise: mend the section'
run 1 plan m.ini
expect_out 'update in place +would be: .*pays'
mv m.ini.kept m.ini
run 0 plan --detailed-exitcode m.ini
rm -f m.state.*

# The id of an instance stands for its job.
run 0 import synchronization_job.orders "$instance" --yes -f m.ini
equal "both are recorded" 2 "$(recorded m.state.json)"
check "the job by its own id" grep -q "\"id\":\"$job\"" m.state.json
run 0 plan --detailed-exitcode m.ini

# What differs stays as it is; the next plan shows it, and as no change of a stranger.
rm -f m.state.*
sed -i 's/^dts_job_name .*/dts_job_name = renamed/' m.ini
run 0 import synchronization_job.orders "$job" --yes -f m.ini
expect_out 'taken over as it is'
equal "still no call that changes anything" "$before" "$(writes)"
run 2 plan --detailed-exitcode m.ini
expect_out 'dts_job_name +"orders" -> "renamed"'
refute "nobody is blamed" grep -q 'changed on the service' "$OUT"
run 0 apply --yes m.ini
equal "renamed by apply" 1 "$(calls ModifyDtsJobName)"
equal "bought once in all" 1 "$(calls CreateDtsInstance)"

# `import_id` in the section of a job does the same as part of an apply; for an import that is refused nothing is bought.
cp m.ini kept.ini
rm -f m.state.*
bought=$(calls CreateDtsInstance)
echo 'import_id = nosuchjob' >>m.ini
run 1 apply --yes m.ini
expect_out 'not allowed: it would be bought for nothing: its job synchronization_job\.orders is not allowed'
equal "nothing was bought for it" "$bought" "$(calls CreateDtsInstance)"
sed -i "s/^import_id .*/import_id = $job/" m.ini
run 0 apply --yes m.ini
expect_out 'synchronization_instance\.orders +import'
equal "still nothing" "$bought" "$(calls CreateDtsInstance)"
equal "both are recorded" 2 "$(recorded m.state.json)"
run 0 plan --detailed-exitcode m.ini

# The job of a recorded instance, which the state does not know, is not taken for a new one.
cp kept.ini m.ini
expect_exit 0 state rm --yes --state m.state.json synchronization_job.orders
sed -i 's/env:SOURCE_PASSWORD/env:TARGET_PASSWORD/' m.ini
run 1 plan m.ini
expect_out "carries job $job .*already, which the state does not know: .dtsbatch import 'synchronization_job.orders' $job"
run 3 apply --yes m.ini
equal "nothing was sent" "$before" "$(($(writes) - 1))"
run 0 import synchronization_job.orders "$job" --yes -f m.ini
run 0 apply --yes m.ini
cp kept.ini m.ini
run 0 apply --yes m.ini

# A preview of a destroy deletes nothing, with and without --yes.
run 0 destroy --dry-run m.ini
expect_out '2 to delete'
run 0 destroy --dry-run --yes m.ini
equal "nothing was deleted" 0 "$(calls DeleteDtsJob)"
equal "both are still recorded" 2 "$(recorded m.state.json)"
run 0 destroy --yes m.ini
equal "the pair was released by one call" 1 "$(calls DeleteDtsJob)"
simulator_stop
