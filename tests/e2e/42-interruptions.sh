# shellcheck shell=bash
# Signals, deadlines, kills: the next run goes on where this one stopped.
export DTSBATCH_SIM_LOG=sim.log
{
	printf '[dtsbatch]\nregion = cn-hangzhou\n'
	for k in a b c d e f; do pair_sections "$k"; done
} >m.ini
cat >slow.scenario <<-'INI'
	[timing]
	precheck     = 60s
	initializing = 60s
INI

# background SCALE ARG...: starts in the background and waits until something was configured.
background() {
	local scale=$1 i
	shift
	DTSBATCH_SIM_SCENARIO=slow.scenario DTSBATCH_SIM_SCALE=$scale "$DTS" "$@" >bg.out 2>bg.err </dev/null &
	BG=$!
	for ((i = 0; i < 200; i++)); do
		! grep -q ConfigureDtsJob sim.log 2>/dev/null || break
		sleep 0.05
	done
}

background 10 apply --simulate --yes m.ini
kill -TERM "$BG"
wait "$BG"
equal "SIGTERM: 128 + 15" 143 $?
expect_exit 0 apply --simulate --yes m.ini
equal "six instances were bought in all" 6 "$(calls CreateDtsInstance)"
equal "six jobs were configured in all" 6 "$(calls ConfigureDtsJob)"
expect_exit 0 plan --simulate --detailed-exitcode m.ini
expect_exit 0 destroy --simulate --yes m.ini

# Killed: no handler helps, the journal does.
rm -f sim.log
background 10 apply --simulate --yes m.ini
kill -KILL "$BG"
wait "$BG" 2>/dev/null
sleep 0.5
expect_exit 0 apply --simulate --yes m.ini
equal "killed: six purchases" 6 "$(calls CreateDtsInstance)"
equal "killed: six instances in the world" 6 "$(instances m.sim.world.json)"
expect_exit 0 plan --simulate --detailed-exitcode m.ini
expect_exit 0 destroy --simulate --yes m.ini

# A deadline: 75, and the rest later.
rm -f sim.log
DTSBATCH_SIM_SCENARIO=slow.scenario DTSBATCH_SIM_SCALE=10 expect_exit 75 apply --simulate --yes --deadline 2s m.ini
expect_exit 0 apply --simulate --yes m.ini
equal "deadline: six purchases" 6 "$(calls CreateDtsInstance)"
expect_exit 0 plan --simulate --detailed-exitcode m.ini

# Two signals: at once.
rm -f sim.log
expect_exit 0 destroy --simulate --yes m.ini
rm -f sim.log
background 10 apply --simulate --yes m.ini
kill -INT "$BG"
kill -TERM "$BG"
wait "$BG"
status=$?
check "ended by a signal's status ($status)" test "$status" = 130 -o "$status" = 143
sleep 0.5
expect_exit 0 apply --simulate --yes m.ini
equal "two signals: six purchases" 6 "$(calls CreateDtsInstance)"
