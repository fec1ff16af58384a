# shellcheck shell=bash
# Nothing is done that nobody wanted: questions, --yes, guards, protection.
pair m.ini orders
expect_exit 64 apply --simulate m.ini
expect_err '[-]-yes'
expect_err 'DTSBATCH_YES'
equal "nothing was touched" m.ini "$(ls)"
DTSBATCH_YES=1 expect_exit 0 apply --simulate m.ini
expect_exit 64 apply --simulate m.ini
expect_exit 0 apply --simulate --dry-run m.ini
expect_exit 64 destroy --simulate m.ini

if have_tty; then
	tty_run no destroy --simulate m.ini
	equal "no: status" 1 "$STATUS"
	expect_out 'Nothing was done'
	equal "no: still recorded" 2 "$(recorded m.sim.state.json)"
	tty_run '' destroy --simulate m.ini
	equal "an empty answer is no" 1 "$STATUS"
	tty_run YES destroy --simulate m.ini
	equal "only yes or y" 1 "$STATUS"
	tty_run yes destroy --simulate m.ini
	equal "yes: status" 0 "$STATUS"
	equal "yes: gone" 0 "$(recorded m.sim.state.json)"
	tty_run y apply --simulate m.ini
	equal "y: status" 0 "$STATUS"
else
	echo "note: no terminal on this machine (is /dev/pts mounted?): the questions are not tried"
	expect_exit 0 destroy --simulate --yes m.ini
	expect_exit 0 apply --simulate --yes m.ini
fi

# More than a fifth and more than two would go: stop before the first write.
{
	printf '[dtsbatch]\nregion = cn-hangzhou\n'
	for k in a b c d; do pair_sections "$k"; done
} >many.ini
export DTSBATCH_SIM_LOG=many.log
expect_exit 0 apply --simulate --yes many.ini
{
	printf '[dtsbatch]\nregion = cn-hangzhou\n'
	pair_sections a
} >many.ini
expect_exit 0 plan --simulate many.ini
expect_out 'orphan'
expect_exit 4 apply --simulate --yes --prune many.ini
expect_err 'max-deletes'
SIM_LOG=many.log equal "no deletion" 0 "$(SIM_LOG=many.log calls DeleteDtsJob)"
expect_exit 4 apply --simulate --yes --prune --max-deletes 2 many.ini
expect_exit 0 apply --simulate --yes --prune --max-deletes 9 many.ini
equal "one pair is left" 2 "$(recorded many.sim.state.json)"

# protect outlives its section.
sed -i 's/^\[synchronization_job.a\]/&\nprotect = true/' many.ini
expect_exit 0 apply --simulate --yes many.ini
printf '[dtsbatch]\nregion = cn-hangzhou\n' >none.ini
pair_sections b >>none.ini
dts apply --simulate --yes --prune --max-deletes 9 --state many.state.json none.ini
check "a protected job is still recorded" grep -q '"address":"synchronization_job.a"' many.sim.state.json
dts destroy --simulate --yes --state many.state.json none.ini
check "destroy spares it, too" grep -q '"address":"synchronization_job.a"' many.sim.state.json

# What only a replacement can change needs to be allowed.
pair r.ini orders
expect_exit 0 apply --simulate --yes r.ini
sed -i 's/^source_endpoint_instance_id .*/source_endpoint_instance_id = rm-other/' r.ini
expect_exit 1 plan --simulate r.ini
expect_out 'replace = allowed'
expect_exit 3 apply --simulate --yes r.ini
sed -i 's/^\[synchronization_job.orders\]/&\nreplace = allowed/' r.ini
expect_exit 2 plan --simulate --detailed-exitcode r.ini
expect_out '! synchronization_job\.orders +replace'
expect_exit 0 apply --simulate --yes r.ini
expect_exit 0 plan --simulate --detailed-exitcode r.ini
