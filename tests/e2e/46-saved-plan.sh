# shellcheck shell=bash
# plan --out, apply FILE: exactly what was looked at, or nothing.
export DTSBATCH_SIM_LOG=sim.log
pair m.ini orders
expect_exit 0 plan --simulate --out first m.ini
expect_err 'apply --simulate first'
check "no secret in the plan" secret_free first
equal "mine alone" 600 "$(stat -c %a first)"
equal "two changes" 2 "$(grep -c '"address":' first)"
check "no state was made" test ! -e m.sim.state.json

# Nobody is asked: somebody looked at it.
expect_exit 0 apply --simulate first
expect_out 'Plan: 2 to create'
equal "two resources are recorded" 2 "$(recorded m.sim.state.json)"
expect_exit 4 apply --simulate first
expect_err 'stale'
expect_err 'there was no state m\.sim\.state\.json, now there is one'

# State.
sed -i 's/^dts_job_name.*/dts_job_name = second/' m.ini
expect_exit 2 plan --simulate --detailed-exitcode --out second m.ini
cp second third
expect_exit 0 apply --simulate second
equal "renamed" 1 "$(calls ModifyDtsJobName)"
cp m.sim.state.json before.json
expect_exit 4 apply --simulate third
expect_err 'state serial [0-9]+ is now [0-9]+'
check "a refused plan changes nothing" cmp before.json m.sim.state.json

# Manifest: also a comment counts, for nobody looked at it.
sed -i 's/^dts_job_name.*/dts_job_name = third/' m.ini
expect_exit 0 plan --simulate --out third m.ini
echo '; changed' >>m.ini
expect_exit 4 apply --simulate third
expect_err 'manifests have changed'
equal "nothing was sent" 1 "$(calls ModifyDtsJobName)"

# The service: renamed behind our back, the plan is another one.
expect_exit 0 plan --simulate --out third m.ini
sed -i 's/"name": "second"/"name": "elsewhere"/' m.sim.world.json
expect_exit 4 apply --simulate third
expect_err 'synchronization_job\.orders: update, but not of the same things'
refute "what changed stands in readable lines" grep -qF '\n' "$ERR"
sed -i 's/"name": "elsewhere"/"name": "third"/' m.sim.world.json
expect_exit 4 apply --simulate third
expect_err 'synchronization_job\.orders: update, now no change'
sed -i 's/"name": "third"/"name": "second"/' m.sim.world.json
expect_exit 0 apply --simulate --dry-run third
expect_exit 0 apply --simulate third
equal "now it was done" 2 "$(calls ModifyDtsJobName)"

# A file that is not there is named, also where nobody could be asked.
expect_exit 65 apply --simulate nothing.json
expect_err 'nothing\.json: No such file'

# A directory: a file more is another plan. What the plan was made with stands in it.
mkdir d
pair d/a.ini a
expect_exit 0 plan --simulate --out all --target '*.a' d
printf '[variables]\nunused = 1\n' >d/b.ini
expect_exit 4 apply --simulate all
expect_err 'manifests have changed'
rm d/b.ini
expect_exit 64 apply --simulate --target x all
expect_err '[-]-target belongs to the plan'
expect_exit 64 apply --simulate all m.ini
expect_err 'stands alone'
expect_exit 64 apply --simulate --state other.state.json all
expect_exit 64 apply all
expect_err 'simulation'
DTSBATCH_STATE=d/dtsbatch.state.json expect_exit 0 apply --simulate all
expect_json_plan() {
	dts plan --simulate --json --out j d
	expect_json
	expect_out '"type":"saved_plan","file":"j"'
}
expect_json_plan

# Variables: their values may be secrets, so they are given again.
pair v.ini v
sed -i "s/^dts_job_name.*/dts_job_name = \${var.name}/; 1i [variables]\nname =" v.ini
expect_exit 0 plan --simulate --var name=one-5ecret --out vars v.ini
expect_exit 64 apply --simulate vars
expect_err '[-]-var name'
expect_exit 4 apply --simulate --var name=two vars
expect_err 'create, but not of the same things'
expect_exit 0 apply --simulate --var name=one-5ecret vars

# What --out does not overwrite, and files that are no plans.
cp m.ini kept.ini
expect_exit 64 plan --simulate --out m.ini m.ini
expect_err 'no saved plan'
check "the manifest is whole" cmp m.ini kept.ini
expect_exit 64 plan --simulate --out . m.ini
expect_exit 64 plan --simulate --refresh=false --out x m.ini
expect_exit 0 plan --simulate --out third m.ini
head -c 200 third >short
expect_exit 65 apply --simulate short
expect_err 'damaged'
echo '{"a":1}' >other.json
expect_exit 65 apply --simulate other.json
expect_err 'no saved plan'
sed 's/"dtsbatch_plan":1/"dtsbatch_plan":9/' third >newer
expect_exit 65 apply --simulate newer
expect_err 'another version'
sed 's/"manifests":/"manifest":/' third >lacks
expect_exit 65 apply --simulate lacks
expect_exit 1 plan --simulate --out no/such/file m.ini
