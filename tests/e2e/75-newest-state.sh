# shellcheck shell=bash disable=SC2154,SC2034
# The newest state or none: what was written last by this host is remembered beside the state, so an older snapshot, a missing one
# and a missing journal are noticed before anything is bought again.

simulator_start --world w.json --log sim.log --time-scale 0
on=(--endpoint "$DTS_ENDPOINT")
pair a.ini a
expect_exit 0 apply "${on[@]}" --yes a.ini
cp a.state.json old.json
pair_sections b >>a.ini
expect_exit 0 apply "${on[@]}" --yes a.ini
equal "two pairs" 2 "$(calls CreateDtsInstance)"
cp a.state.json new.json

# An older one put back.
cp old.json a.state.json
expect_exit 0 plan "${on[@]}" a.ini
expect_err 'a\.state\.json.* lacks what the last run on this host did'
expect_exit 78 apply "${on[@]}" --yes a.ini
expect_err 'lacks what the last run on this host did'
expect_err 'state rebuild'
expect_err '--accept-state'
check "it is left as it is" cmp -s old.json a.state.json
expect_exit 78 state verify -f a.ini
expect_err 'lacks what the last run'
expect_exit 78 destroy "${on[@]}" --yes a.ini
equal "nothing was bought" 2 "$(calls CreateDtsInstance)"

# The newest one is good, on this host and, without the key, on any.
cp new.json a.state.json
expect_exit 0 state verify -f a.ini
expect_exit 0 plan "${on[@]}" --detailed-exitcode a.ini
mkdir other && cp a.ini other/a.ini && cp old.json other/a.state.json
expect_exit 0 plan "${on[@]}" other/a.ini
expect_not_err 'this host'
# A lost key is no older state.
mkdir lost && cp a.ini new.json lost/ && mv lost/new.json lost/a.state.json
expect_exit 0 apply "${on[@]}" --yes lost/a.ini
expect_not_err 'this host'

# Gone, with the key left behind.
rm a.state.json
expect_exit 78 apply "${on[@]}" --yes a.ini
expect_err 'a\.state\.json does not exist, but this host wrote it'
expect_exit 0 plan "${on[@]}" a.ini
expect_err 'does not exist, but this host wrote it'
expect_exit 0 state rebuild "${on[@]}" --yes a.ini
expect_exit 0 plan "${on[@]}" --detailed-exitcode a.ini
expect_exit 0 apply "${on[@]}" --yes a.ini
equal "still two pairs" 2 "$(calls CreateDtsInstance)"

# Another one altogether.
mv a.state.json rebuilt.json
cp new.json a.state.json
expect_exit 78 apply "${on[@]}" --yes a.ini
expect_err 'is not the state that this host wrote last'
expect_exit 0 apply "${on[@]}" --yes --accept-state a.ini
expect_exit 0 apply "${on[@]}" --yes a.ini

# What is empty is no loss.
expect_exit 0 destroy "${on[@]}" --yes a.ini
rm a.state.json
expect_exit 0 plan "${on[@]}" a.ini
expect_not_err 'this host'
simulator_stop

# A first run that was killed, and its journal removed.
simulator_start --world w2.json --log sim2.log --time-scale 1
on=(--endpoint "$DTS_ENDPOINT")
SIM_LOG=sim2.log
pair k.ini k
"$DTS" apply "${on[@]}" --yes k.ini >.k.out 2>&1 </dev/null &
pid=$!
for ((i = 0; i < 100; i++)); do
	[ "$(calls ConfigureDtsJob)" = 0 ] || break
	sleep 0.05
done
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
expect_exit 0 state verify -f k.ini
expect_err 'only a journal'
cp k.state.journal k.saved
rm k.state.journal
expect_exit 78 apply "${on[@]}" --yes k.ini
expect_err 'a first run on this host had begun'
cp k.saved k.state.journal
simulator_stop

# The journal removed while a run writes it: nothing more is sent, and all that was done is kept.
cat >slow.scn <<'S'
[fault.d]
action = CreateDtsInstance
do = delay:400ms
S
simulator_start --world w3.json --log sim3.log --time-scale 0 --scenario slow.scn
SIM_LOG=sim3.log
on=(--endpoint "$DTS_ENDPOINT")
pair j.ini j1
for n in j2 j3 j4; do pair_sections $n >>j.ini; done
for how in away replaced; do
	"$DTS" apply "${on[@]}" --yes --parallelism 1 j.ini >.j.out 2>.j.err </dev/null &
	pid=$!
	until=$(($(calls CreateDtsInstance) + 1))
	for ((i = 0; i < 200; i++)); do
		[ "$(calls CreateDtsInstance)" -lt $until ] || break
		sleep 0.02
	done
	bought=$(calls CreateDtsInstance)
	if [ $how = away ]; then rm j.state.journal; else cp j.state.journal x && mv x j.state.journal; fi
	STATUS=0
	wait "$pid" || STATUS=$?
	cp .j.out "$OUT" && cp .j.err "$ERR"
	equal "a lost journal is 74 ($how)" 74 "$STATUS"
	check "hardly anything was bought after it ($how)" test "$(calls CreateDtsInstance)" -le $((bought + 1))
	expect_err '^made: synchronization_instance\.j[0-9]  dts'
	expect_not_err '^Done'
	expect_not_err 'not from DTS'
	expect_not_err '\\n'
	equal "said once ($how)" 1 "$(grep -c 'removed or replaced' "$ERR")"
	if [ $how = away ]; then
		expect_err 'is saved in .*/j\.state\.json \(serial'
	else
		expect_err 'is saved in .*/j\.rescued\.state\.json'
		expect_exit 78 apply "${on[@]}" --yes j.ini
		expect_err 'j\.rescued\.state\.json'
		mv j.rescued.state.json j.state.json
		rm j.state.journal
	fi
done
expect_exit 0 apply "${on[@]}" --yes j.ini
equal "and no call too many" 4 "$(calls CreateDtsInstance)"
expect_exit 0 plan "${on[@]}" --detailed-exitcode j.ini
simulator_stop
equal "each was bought once" 4 "$(instances w3.json)"
