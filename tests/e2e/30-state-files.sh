# shellcheck shell=bash
# The state file as people find it: behind a link, empty, full of NULs, merged badly, locked.
pair m.ini orders

# A link stays a link; everything else lies beside the real file. (case a21-symlinked-state)
mkdir real work
expect_exit 0 apply --simulate --yes --state real/x.state.json m.ini
before=$(serial real/x.sim.state.json)
ln -s ../real/x.sim.state.json work/x.sim.state.json
sed -i 's/^dts_job_name.*/dts_job_name = moved/' m.ini
expect_exit 0 apply --simulate --yes --state work/x.state.json m.ini
check "the link is still one" test -L work/x.sim.state.json
check "its target has the higher serial" test "$(serial real/x.sim.state.json)" -gt "$before"
equal "mode of the target" 600 "$(stat -c %a real/x.sim.state.json)"
equal "work/ holds the link alone" x.sim.state.json "$(ls work)"
expect_exit 0 plan --simulate --detailed-exitcode --state work/x.state.json m.ini

# A link to nothing: the target is made.
mkdir late
ln -s ../late/y.sim.state.json work/y.sim.state.json
expect_exit 0 apply --simulate --yes --state work/y.state.json m.ini
check "the target was made" test -f late/y.sim.state.json
check "the link was kept" test -L work/y.sim.state.json

# Two names of one file exclude each other, and the message names the holder.
sed -i 's/^dts_job_name.*/dts_job_name = again/' m.ini
cat >slow.scenario <<-'INI'
	[fault.slow]
	action = ModifyDtsJobName
	do     = delay:2s
INI
DTSBATCH_SIM_SCENARIO=slow.scenario "$DTS" apply --simulate --yes --state real/x.state.json m.ini >first.out 2>first.err </dev/null &
first=$!
for ((i = 0; i < 60; i++)); do
	! grep -q rename first.err || break
	sleep 0.05
done
expect_exit 75 apply --simulate --yes --state work/x.state.json m.ini
expect_err "$first"
expect_exit 0 plan --simulate --state work/x.state.json m.ini
expect_err "warning: a run is under way \\(process $first on .*: apply.*\\): what it has not done yet is in this plan"
expect_exit 0 apply --simulate --yes --lock-timeout 20s --state work/x.state.json m.ini
expect_out 'Nothing to do'
check "the first run was not disturbed" wait "$first"

# Damage is no first run. (case a23-empty-state-file)
: >z.sim.state.json
expect_exit 78 apply --simulate --yes --state z.state.json m.ini
expect_err 'z\.sim\.state\.json'
expect_err 'state verify'
expect_err 'state rebuild'
expect_err 'journal'
equal "untouched" 0 "$(stat -c %s z.sim.state.json)"
head -c 4096 /dev/zero >z.sim.state.json
expect_exit 78 plan --simulate --state z.state.json m.ini
expect_err 'NUL'
expect_exit 78 state verify --simulate --state z.state.json

# Conflict markers, in the state and in a manifest. (case a24-conflict-markers-in-state)
n=$(grep -n '"address":"synchronization_job' real/x.sim.state.json | head -n 1 | cut -d: -f1)
awk -v n="$n" 'NR==n{print "<<<<<<< HEAD"} {print} NR==n{print "======="; print; print ">>>>>>> other-branch"}' \
	real/x.sim.state.json >c.sim.state.json
expect_exit 78 plan --simulate --state c.state.json m.ini
expect_err "line $n: conflict marker"
expect_err 'HEAD'
expect_err 'other-branch'
expect_err 'state verify'
awk 'NR==3{print "<<<<<<< HEAD"} {print} NR==3{print "======="; print; print ">>>>>>> other-branch"}' m.ini >c.ini
expect_exit 65 validate c.ini
expect_err '^c\.ini:3:1: error: .*conflict marker'
equal "once per conflict" 1 "$(grep -c 'conflict marker' "$ERR")"

# Nowhere to write: before anything is bought.
if [ "$(id -u)" != 0 ]; then
	mkdir locked
	chmod 500 locked
	DTSBATCH_SIM_LOG=locked.log expect_exit 73 apply --simulate --yes --state locked/x.state.json m.ini
	equal "no call" 0 "$(SIM_LOG=locked.log calls)"
	chmod 700 locked
fi
expect_exit 73 apply --simulate --yes --state no/such/x.state.json m.ini
