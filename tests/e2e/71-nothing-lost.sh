# shellcheck shell=bash
# The wrong account, the wrong region, an empty list, a directory that is suddenly empty, a second state in the account:
# nothing is bought again, nothing is deleted, nothing of somebody else's is touched.

mkdir batch
for n in a b c; do
	pair "batch/$n.ini" "$n"
	sed -i '/^\[dtsbatch\]/,/^$/d' "batch/$n.ini"
done
printf '[dtsbatch]\nregion = cn-hangzhou\nsettle = 2s\n' >batch/0.ini

export DTSBATCH_SIM_LOG=$PWD/sim.log
expect_exit 0 apply --simulate --yes batch
equal "three instances" 3 "$(instances batch/dtsbatch.sim.world.json)"
cp batch/dtsbatch.sim.world.json kept-world
cp batch/dtsbatch.sim.state.json kept-state

# An empty account: all six recorded resources are gone. Nobody looked at the plan, so nothing is bought.
rm batch/dtsbatch.sim.world.json
: >sim.log
expect_exit 4 apply --simulate --yes batch
expect_err 'gone on the service'
equal "nothing was bought in the empty account" 0 "$(calls CreateDtsInstance)"
cp kept-world batch/dtsbatch.sim.world.json

# Another region than the recorded one.
: >sim.log
expect_exit 77 apply --simulate --yes --region cn-beijing batch
equal "no call went to the other region" 0 "$(calls)"

# The directory is suddenly empty: an unmounted disk.
mkdir aside
mv batch/*.ini aside
: >sim.log
expect_exit 65 apply --simulate --yes --prune batch
equal "no call without manifests" 0 "$(calls)"
mv aside/0.ini aside/a.ini batch
expect_exit 3 apply --simulate --yes --prune --max-deletes 9 batch
expect_err 'is missing'
equal "what the missing files held is not pruned" 3 "$(instances batch/dtsbatch.sim.world.json)"
mv aside/* batch
expect_exit 0 apply --simulate --yes batch
equal "and nothing was lost" 6 "$(recorded batch/dtsbatch.sim.state.json)"
unset DTSBATCH_SIM_LOG

# Two state files in one account; the first loses the answer of its purchase while the second buys the same shape.
printf '[fault.lost]\naction = CreateDtsInstance\nnth = 1\ncount = 1\ndo = cut-after\n' >scenario
simulator_start --scenario scenario --log two.log --world two.json --time-scale 0
export DTSBATCH_POLL_SCALE=0.05
pair one.ini one
pair two.ini two
sed -i 's/^region = cn-hangzhou$/&\nsettle = 2s/' one.ini two.ini
"$DTS" apply --yes --endpoint "$DTS_ENDPOINT" one.ini >one.out 2>&1 &
first=$!
sleep 0.5
expect_exit 0 apply --yes --endpoint "$DTS_ENDPOINT" two.ini
wait "$first"
equal "the first run found its purchase" 0 "$?"
expect_exit 0 plan --detailed-exitcode --endpoint "$DTS_ENDPOINT" one.ini
expect_exit 0 plan --detailed-exitcode --endpoint "$DTS_ENDPOINT" two.ini
simulator_stop
equal "two purchases, two instances" 2 "$(instances two.json)"
equal "each purchase was sent once" 2 "$(grep -c '"action":"CreateDtsInstance"' two.log)"
check "the states hold different instances" test "$(field one.state.json instance_id | sort -u)" != "$(field two.state.json instance_id | sort -u)"
