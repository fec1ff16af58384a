# shellcheck shell=bash
# --simulate beside a real state: what exists is there in the rehearsal, the real files stay as they are.
simulator_start --time-scale 2000 --log real.log
export DTSBATCH_POLL_SCALE=0.001
real() {
	local want=$1 verb=$2
	shift 2
	expect_exit "$want" "$verb" --endpoint "$DTS_ENDPOINT" "$@"
}
pair m.ini orders 'delay_notice = true' 'delay_rule_time = 60'
pair_sections crm >>m.ini
real 0 apply --yes m.ini
real_files() {
	sha256sum m.state.json m.state.key
	find . -name 'm.state.*' | sort
}
before=$(real_files)
sent=$(SIM_LOG=real.log calls)

# Unchanged: nothing to do, and a plan leaves nothing behind.
expect_exit 0 plan --simulate --detailed-exitcode m.ini
expect_out 'Nothing to do: 4'
expect_err 'rehearsal: the simulation begins with the 4 resources of m\.state\.json'
check "no simulated state after a plan" test ! -e m.sim.state.json
check "no world after a plan" test ! -e m.sim.world.json

# Exactly the change, also of a password.
cp m.ini was.ini
sed -i '0,/^dts_job_name .*/s//dts_job_name = renamed/' m.ini
expect_exit 2 plan --simulate --detailed-exitcode m.ini
expect_out 'Plan: 0 to create, 1 to update, 0 to delete; 3 unchanged'
expect_out 'dts_job_name +"orders" -> "renamed"'
TARGET_PASSWORD=rotated-5ecret expect_exit 2 plan --simulate --detailed-exitcode was.ini --state m.state.json
expect_out '2 to update'
expect_out 'destination_endpoint_password +\(secret\)'
expect_not_out 'dts_job_name'

# A plan of it can be saved and applied: the simulated files come with that.
expect_exit 0 plan --simulate --out p m.ini
expect_exit 0 apply --simulate p
expect_err '[Nn]othing real was touched'
equal "the same ids" "$(field m.state.json id | sort)" "$(field m.sim.state.json id | sort)"
check "a copy of the real world has the new name" grep -q '"name": *"renamed"' m.sim.world.json
expect_exit 0 plan --simulate --detailed-exitcode m.ini
expect_not_err 'rehearsal'
equal "the real files are as they were" "$before" "$(real_files)"
equal "the real service was not called" "$sent" "$(SIM_LOG=real.log calls)"
check "no secret in the copies" secret_free m.sim.state.json m.sim.world.json p
real 2 plan --detailed-exitcode m.ini

# What a rehearsal of the end looks like; the ids are the real ones.
rm m.sim.*
expect_exit 0 destroy --simulate --yes m.ini
equal "all gone in the simulation" 0 "$(recorded m.sim.state.json)"
equal "the real files are as they were" "$before" "$(real_files)"

# Two-way, suspended, tags, secrets inside reserve, every shape of the examples.
rm m.sim.*
real 0 destroy --yes m.ini
export REDIS_PASSWORD='redis-5ecret'
for f in "$ROOT"/jobs/examples/*.ini; do
	name=$(basename "$f" .ini)
	cp "$f" "$name.ini"
	sed -n "s/.*[$]{env:\([A-Z_]*\)}.*/\1/p" "$name.ini" | sort -u >vars
	while read -r v; do export "$v=made-up-5ecret"; done <vars
	dts apply --yes --endpoint "$DTS_ENDPOINT" "$name.ini"
	[ "$STATUS" -eq 0 ] || continue # needs more than this simulator
	dts plan --detailed-exitcode --endpoint "$DTS_ENDPOINT" "$name.ini"
	[ "$STATUS" -eq 0 ] || continue
	expect_exit 0 plan --simulate --detailed-exitcode "$name.ini"
	expect_err 'rehearsal'
	echo "$name" >>rehearsed
done
check "most examples were rehearsed" test "$(wc -l <rehearsed)" -ge 8

# A real state that cannot be read is no reason to begin with nothing.
pair x.ini x
: >x.state.json
expect_exit 78 plan --simulate x.ini
expect_err 'x\.state\.json'
simulator_stop
