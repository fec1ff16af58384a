# shellcheck shell=bash
# Every example: applied, clean, destroyed. Documentation that does not work is none.
for f in "$ROOT"/jobs/examples/*.ini; do
	name=$(basename "$f" .ini)
	cp "$f" .
	# whatever secrets it names
	while read -r v; do export "$v"=some-5ecret; done < <(grep -o 'env:[A-Z_0-9]*' "$name.ini" | cut -d: -f2)
	expect_exit 0 validate "$name.ini"
	expect_exit 0 apply --simulate --yes "$name.ini"
	expect_exit 0 plan --simulate --detailed-exitcode "$name.ini"
	check "$name: no secret" secret_free "$name.sim.state.json" "$name.sim.world.json" "$OUT" "$ERR"
	expect_exit 0 destroy --simulate --yes "$name.ini"
	equal "$name: nothing is left" 0 "$(recorded "$name.sim.state.json")"
done
