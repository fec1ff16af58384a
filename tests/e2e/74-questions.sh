# shellcheck shell=bash disable=SC2154,SC2016
# Open questions about a purchase: the commands that messages name work as they are printed, and answer what they are for.

cat >ask.scn <<'S'
[stranger]
after = CreateDtsInstance
max = 1
[fault.a]
action = CreateDtsInstance
nth = 1
count = 1
do = cut-after
S
question() { # a manifest whose purchase is in question
	simulator_start --world "$1.world" --log "$1.log" --time-scale 0 --scenario ask.scn
	on=(--endpoint "$DTS_ENDPOINT")
	export DTSBATCH_POLL_SCALE=0.05
	pair "$1.ini" "$1"
	sed -i 's/^region = cn-hangzhou$/&\nsettle = 1s/' "$1.ini"
	expect_exit 4 apply "${on[@]}" --yes "$1.ini"
}
# The command between backquotes that begins with the words given, without `dtsbatch`.
printed() {
	cat "$OUT" "$ERR" | grep -o "\`dtsbatch $1[^\`]*\`" | head -n 1 | sed 's/^`dtsbatch //; s/`$//'
}

question orders
expect_err '2 instances could be it: dts[a-z0-9]+ \(made 20[0-9T:-]+Z\), dts[a-z0-9]+ \(made '
expect_err "dtsbatch import 'synchronization_instance\.orders' ID -f orders\.ini --endpoint .* --yes"
expect_err "dtsbatch state forget-intent 'synchronization_instance\.orders' --state orders\.state\.json --yes"
import=$(printed import)
forget=$(printed 'state forget-intent')
expect_err 'Not decided: 1 to decide, 1 blocked by it'
expect_exit 4 destroy "${on[@]}" --yes orders.ini
expect_out 'Nothing else to do: 1 purchase has no answer yet'
expect_err 'Not decided: 1 to decide, 0 unchanged'
expect_exit 4 apply "${on[@]}" --yes orders.ini
expect_err 'synchronization_instance\.orders: find purchase'
expect_not_err 'orders: buy'
expect_exit 4 apply "${on[@]}" --yes --json orders.ini
expect_out '"result":"decision_needed".*"hint":".*forget-intent'
expect_exit 0 state verify -f orders.ini
expect_err 'no answer yet to CreateDtsInstance for synchronization_instance\.orders'
expect_not_out 'good$'
# A wrong name leaves nothing behind.
expect_exit 64 state forget-intent --yes synchronization_instance.orders
expect_err 'there is no state'
refute "no stray lock" test -e dtsbatch.state.lock
# An unknown id: that alone is the news.
eval "expect_exit 1 ${import/ID/dtsnothing}"
expect_out 'dtsnothing does not exist'
expect_not_err 'could be it'
simulator_stop
mine=$(grep '"architecture":' orders.world | grep -v '"stranger":' | sed -n 's/.*"id": *"\(dts[a-z0-9]*\)".*/\1/p' | head -n 1)
check "the bought instance is known" test -n "$mine"
simulator_start --world orders.world --log orders.log --time-scale 0 --port "$SIM_PORT"
eval "expect_exit 0 ${import/ID/$mine}"
expect_not_err 'could be it'
expect_exit 0 apply "${on[@]}" --yes orders.ini
expect_exit 0 plan "${on[@]}" --detailed-exitcode orders.ini
simulator_stop

question other
forget=$(printed 'state forget-intent')
eval "expect_exit 0 $forget"
expect_err 'the question is closed'
expect_err 'other: the purchase did reach the service: unless it was refused there'
expect_exit 0 apply "${on[@]}" --yes other.ini

# A port that is in use is said to be so.
dts simulator --keys a:b --world second.world --port "$SIM_PORT"
equal "no second simulator on the port" 69 "$STATUS"
expect_err "cannot listen on 127\.0\.0\.1:$SIM_PORT: Address (already )?in use"

# A limit of the file size is an error, not a death.
pair big.ini big
STATUS=0
(ulimit -f 8 && exec "$DTS" apply "${on[@]}" --yes big.ini) >"$OUT" 2>"$ERR" </dev/null || STATUS=$?
check "a file size limit is 73 or 74" test "$STATUS" -eq 73 -o "$STATUS" -eq 74
expect_err 'File too large'
# Beside a state that exists another one would buy everything again, so none is suggested.
expect_exit 0 apply "${on[@]}" --yes big.ini
sed -i 's/^dts_job_name.*/dts_job_name = bigger/' big.ini
STATUS=0
(ulimit -f 8 && exec "$DTS" apply "${on[@]}" --yes big.ini) >"$OUT" 2>"$ERR" </dev/null || STATUS=$?
check "a file size limit is 73 or 74" test "$STATUS" -eq 73 -o "$STATUS" -eq 74
expect_err 'nothing was sent. Make room for the journal of the run; another --state would know nothing'
simulator_stop

expect_exit 0 explain dtsbatch
expect_out '^  settle '
expect_exit 0 explain settle
expect_out 'Raise it'
