# shellcheck shell=bash
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
