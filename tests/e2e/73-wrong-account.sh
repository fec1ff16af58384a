# shellcheck shell=bash disable=SC2154,SC2034
# What smells of a wrong account, and jobs that exist already: nothing is bought, nothing is forgotten, nothing is deleted before
# somebody has looked.

empty_account() { # a second simulator with nothing in it; its endpoint in $elsewhere
	"$DTS" simulator --keys testid:testsecret --world empty.json --log empty.log --time-scale 0 >.empty.out 2>&1 </dev/null &
	EMPTY_PID=$!
	for ((i = 0; i < 100; i++)); do
		elsewhere=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/http:\/\/127.0.0.1:\1/p' .empty.out | head -n 1)
		[ -z "$elsewhere" ] || break
		sleep 0.05
	done
}

simulator_start --world w.json --log sim.log --time-scale 0
on=(--endpoint "$DTS_ENDPOINT")
empty_account

# destroy
pair d.ini d1
for n in d2 d3; do pair_sections $n >>d.ini; done
expect_exit 0 apply "${on[@]}" --yes d.ini
cp d.state.json d.kept
expect_exit 4 destroy --endpoint "$elsewhere" --yes d.ini
expect_err '6 of 6 recorded resources are gone'
expect_err '--max-gone 6'
check "destroy forgot nothing" cmp -s d.kept d.state.json
expect_exit 4 destroy --endpoint "$elsewhere" --yes --max-gone 5 d.ini
expect_exit 0 plan --endpoint "$elsewhere" d.ini
expect_err 'smells of a wrong account'
expect_exit 0 plan "${on[@]}" d.ini
expect_not_err 'smells'
expect_exit 0 destroy "${on[@]}" --yes d.ini
equal "destroyed" 0 "$(recorded d.state.json)"

# A small batch: one pair, all of it gone.
pair one.ini one
expect_exit 0 apply "${on[@]}" --yes one.ini
expect_exit 4 apply --endpoint "$elsewhere" --yes one.ini
expect_err '2 of 2 recorded resources are gone'
equal "nothing was bought elsewhere" 0 "$(SIM_LOG=empty.log calls CreateDtsInstance)"
# One target of five.
pair five.ini p1
for n in p2 p3 p4 p5; do pair_sections $n >>five.ini; done
expect_exit 0 apply "${on[@]}" --yes five.ini
expect_exit 4 apply --endpoint "$elsewhere" --yes --target 'synchronization_*.p3' five.ini
expect_err '10 of 10 recorded resources are gone'
equal "nothing was bought for a target" 0 "$(SIM_LOG=empty.log calls CreateDtsInstance)"
# One gone pair among healthy ones is made again.
id=$(sed -n 's/.*"address":"synchronization_job\.p2".*"job_id":"\([^"]*\)".*/\1/p' five.state.json)
cp five.ini hand.ini
cp five.state.json hand.state.json
expect_exit 0 destroy "${on[@]}" --yes --target 'synchronization_*.p2' hand.ini
check "a job was deleted behind the state" test -n "$id"
expect_exit 0 apply "${on[@]}" --yes five.ini
expect_out 'gone on the service'
expect_exit 0 plan "${on[@]}" --detailed-exitcode five.ini

# Twins: the state is gone, with all its memory.
rm five.state.*
: >sim.log
expect_exit 0 plan "${on[@]}" five.ini
expect_err 'synchronization_job\.p1 is to be created, but job .* is not in the state'
expect_err "dtsbatch import 'synchronization_job\.p1' "
expect_err 'state rebuild'
check "one page was read for it" test "$(calls Describe)" -le 2
expect_exit 4 apply "${on[@]}" --yes five.ini
expect_err 'an equal job exists already for 5 of the jobs'
expect_err '--allow-twins'
equal "no twin was bought" 0 "$(calls CreateDtsInstance)"
# Another name, another end: no twin.
sed 's/rm-target-p1/rm-target-q1/; s/dts_job_name *= p2$/dts_job_name = q2/' five.ini >near.ini
expect_exit 4 apply "${on[@]}" --yes near.ini
expect_err 'for 3 of the jobs'
expect_exit 0 state rebuild "${on[@]}" --yes five.ini
expect_exit 0 plan "${on[@]}" --detailed-exitcode five.ini
equal "still none" 0 "$(calls CreateDtsInstance)"
pair twin.ini one
expect_exit 0 apply "${on[@]}" --yes --allow-twins twin.ini
equal "a twin that is wanted is bought" 1 "$(calls CreateDtsInstance)"

# Pruning: a file that was not named, one that is missing, and no second run that forgets that.
pair a.ini a1
pair_sections b1 >b.ini
expect_exit 0 apply "${on[@]}" --yes --state ab.state.json a.ini b.ini
: >sim.log
for again in 1 2; do
	expect_exit 3 apply "${on[@]}" --yes --prune --state ab.state.json a.ini
	expect_err 'b\.ini, which held its section, exists but was not named'
done
mv b.ini aside
for again in 1 2; do
	expect_exit 3 apply "${on[@]}" --yes --prune --state ab.state.json ./a.ini
	expect_err 'b\.ini, which held its section, is missing'
done
equal "nothing was deleted" 0 "$(calls Delete)"
mv aside b.ini
expect_exit 0 apply "${on[@]}" --yes --prune --state ab.state.json ./a.ini ./b.ini
printf '[variables]\nnothing = more\n' >b.ini
expect_exit 0 apply "${on[@]}" --yes --prune --state ab.state.json a.ini b.ini
equal "a section that vanished is pruned" 2 "$(recorded ab.state.json)"

# One thing, two addresses.
id=$(sed -n 's/.*"address":"synchronization_instance\.p1".*"instance_id":"\([^"]*\)".*/\1/p' five.state.json)
pair_sections extra >>five.ini
expect_exit 1 import "${on[@]}" --yes -f five.ini synchronization_instance.extra "$id"
expect_out 'is in the state already, as synchronization_instance\.p1'
equal "it was not taken" 10 "$(recorded five.state.json)"

kill "$EMPTY_PID"
wait "$EMPTY_PID" 2>/dev/null || :
simulator_stop

# A destroy that was killed goes on: what it deleted itself is no surprise.
simulator_start --world k.json --log k.log --time-scale 0
SIM_LOG=k.log
pair k.ini k1
for n in k2 k3 k4; do pair_sections $n >>k.ini; done
expect_exit 0 apply --endpoint "$DTS_ENDPOINT" --yes k.ini
simulator_stop
printf '[fault.d]\naction = DeleteDtsJobs,DeleteDtsJob\ndo = delay:3s\neffect = yes\n' >late.scn
simulator_start --world k.json --log k.log --time-scale 0 --scenario late.scn
"$DTS" destroy --endpoint "$DTS_ENDPOINT" --yes k.ini >.k.out 2>&1 </dev/null &
pid=$!
for ((i = 0; i < 100; i++)); do
	[ "$(calls Delete)" = 0 ] || break
	sleep 0.05
done
sleep 0.2
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
simulator_stop
check "it was on its way" grep -aq '"leaving":true' k.state.journal
simulator_start --world k.json --log k.log --time-scale 0
expect_exit 0 destroy --endpoint "$DTS_ENDPOINT" --yes k.ini
equal "and the second run knows why" 0 "$(recorded k.state.json)"
simulator_stop
