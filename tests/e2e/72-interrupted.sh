# shellcheck shell=bash
# Killed between a call and its answer, in an account whose lists lag: the next run looks for what was sent, waits for it,
# and sends nothing that costs a second time.
export DTSBATCH_POLL_SCALE=0.2

# manifest FILE CLASS NAME...: pairs with a short settling time.
manifest() {
	local file=$1 class=$2
	shift 2
	{
		printf '[dtsbatch]\nregion = cn-hangzhou\nsettle = 3s\n\n'
		for k; do pair_sections "$k"; done
	} | sed "s/= small/= $class/" >"$file"
}

# service FILE: a fresh service that follows the scenario on standard input; the clock is real.
service() {
	cat >scenario
	rm -f ./*.json ./*.journal ./*.lock ./*.key sim.log
	simulator_start --scenario scenario --log sim.log --world w.json --time-scale 1
}

apply() {
	expect_exit "$1" apply --yes --endpoint "$DTS_ENDPOINT" m.ini
}

# killed ACTION N [COMMAND]: a run that dies when the service has heard of ACTION so often.
killed() {
	local i pid
	"$DTS" "${3:-apply}" --yes --endpoint "$DTS_ENDPOINT" m.ini >bg.out 2>&1 </dev/null &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		[ "$(calls "$1")" -lt "$2" ] || break
		sleep 0.02
	done
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	sleep 0.1
}

fast='[timing]
precheck = 200ms
precheck_pass = 100ms
initializing = 200ms'

# A class was ordered and paid; the answer never came. It is on its way, so it is waited for.
manifest m.ini small a
service <<<"$fast
upgrade = 3s
[fault.x]
action = TransferInstanceClass
do = hang"
apply 0
manifest m.ini medium a
killed TransferInstanceClass 1
expect_exit 0 plan --endpoint "$DTS_ENDPOINT" m.ini
expect_out 'sent again only if it had no effect'
expect_not_out 'changed on the service'
apply 0
equal "the class was ordered once" 1 "$(calls TransferInstanceClass)"
expect_exit 0 plan --detailed-exitcode --endpoint "$DTS_ENDPOINT" m.ini
simulator_stop

# The order was answered, and the run died while the service was at it.
manifest m.ini small a
service <<<"$fast
upgrade = 3s"
apply 0
manifest m.ini medium a
killed TransferInstanceClass 1
apply 0
equal "an answered order is no reason for another" 1 "$(calls TransferInstanceClass)"
simulator_stop

# It did not arrive: ordered anew, but only after the settling time.
manifest m.ini small a
service <<<"$fast
[fault.x]
action = TransferInstanceClass
nth = 1
do = hang
effect = no"
apply 0
manifest m.ini medium a
killed TransferInstanceClass 1
apply 0
equal "an order that did not arrive is made again" 2 "$(calls TransferInstanceClass)"
simulator_stop

# Made two-way, while lists show what was: an answered upgrade is no reason for another, within the settling time and after it.
for pause in 0 4; do
	manifest m.ini small a
	service <<<"$fast
list_lag = 20s"
	sed -i 's/^instance_class.*/&\nsync_architecture = oneway/' m.ini
	apply 0
	sed -i 's/= oneway/= bidirectional/' m.ini
	killed UpgradeTwoWay 1
	sleep "$pause"
	apply 0
	equal "made two-way once, $pause s" 1 "$(calls UpgradeTwoWay)"
	expect_exit 0 plan --detailed-exitcode --endpoint "$DTS_ENDPOINT" m.ini
	simulator_stop
done

# A password was taken, the answer never came: the repeat is refused, because it is the current one, and that is the proof.
for pause in 0 4; do
	manifest m.ini small a
	service <<<"$fast
[fault.x]
action = ModifyDtsJobPassword
nth = 1
do = hang"
	apply 0
	export SOURCE_PASSWORD=another
	killed ModifyDtsJobPassword 1
	sleep "$pause"
	apply 0
	expect_exit 0 plan --detailed-exitcode --endpoint "$DTS_ENDPOINT" m.ini
	refute "no password in the state" grep -q another m.state.json
	export SOURCE_PASSWORD=a
	apply 0
	simulator_stop
done

# The service says that it cannot be done, because it was: looked at, and done.
manifest m.ini small a
service <<<"$fast
[fault.x]
action = UpgradeTwoWay
do = code:OperationDenied:403
effect = yes"
apply 0
sed -i 's/^instance_class.*/&\nsync_architecture = bidirectional/' m.ini
apply 0
equal "a refused upgrade is looked at" 1 "$(calls UpgradeTwoWay)"
expect_exit 0 plan --detailed-exitcode --endpoint "$DTS_ENDPOINT" m.ini
simulator_stop

# A class that is no higher is refused with NoPermission, which is no word about our rights.
manifest m.ini small a
service <<<"$fast
[fault.x]
action = TransferInstanceClass
do = code:NoPermission:403"
apply 0
manifest m.ini medium a
apply 3
expect_err 'a class that is not higher'
simulator_stop

# Killed while a job is being made anew: its instance is empty, and status does not call the job gone.
manifest m.ini small a
sed -i 's/^status .*/&\nreplace = allowed/' m.ini
service <<<"$fast
list_lag = 0s
[fault.x]
action = ResetDtsJob
nth = 1
do = hang"
apply 0
echo 'dts_bis_label = online' >>m.ini
killed ResetDtsJob 1
expect_exit 0 status --endpoint "$DTS_ENDPOINT" m.ini
expect_out '^synchronization_job\.a +NotConfigured '
expect_not_out 'gone|empty'
apply 0
expect_exit 0 plan --detailed-exitcode --endpoint "$DTS_ENDPOINT" m.ini
sleep 0.5
# What was emptied by somebody else is gone, and what it left is paid for.
id=$(sed -n 's/.*"address":"synchronization_job.a".*"job_id":"\([a-z0-9]*\)".*/\1/p' m.state.json)
check "emptied behind its back" sim_control "set?job=$id&field=status&value=NotConfigured"
expect_exit 0 status --endpoint "$DTS_ENDPOINT" m.ini
expect_out '^synchronization_job\.a +gone .* its instance dts[a-z0-9]+ is there, empty and billed'
simulator_stop

# A reset that was answered and did nothing is sent once more, by the same run and by the next.
for how in whole killed; do
	manifest m.ini small a
	sed -i 's/^status .*/&\nreplace = allowed/' m.ini
	service <<<"$fast
[fault.x]
action = ResetDtsJob
nth = 1
do = lost-effect"
	apply 0
	echo 'dts_bis_label = online' >>m.ini
	[ "$how" = whole ] || killed ResetDtsJob 1
	apply 0
	equal "reset, $how: sent twice" 2 "$(calls ResetDtsJob)"
	expect_exit 0 plan --detailed-exitcode --endpoint "$DTS_ENDPOINT" m.ini
	simulator_stop
done

# Lists that lack what was made a moment ago, or show it as it was: nothing is gone, nothing is configured again.
manifest m.ini small a b c d e f
service <<<'[timing]
list_lag = 20s
precheck = 2s
precheck_pass = 200ms
initializing = 500ms
[fault.x]
action = ConfigureDtsJob
do = delay:2s'
killed ConfigureDtsJob 6
apply 0
equal "six purchases" 6 "$(calls CreateDtsInstance)"
equal "six jobs were configured, once each" 6 "$(calls ConfigureDtsJob)"
expect_exit 0 plan --detailed-exitcode --endpoint "$DTS_ENDPOINT" m.ini
simulator_stop

# Destroy with a purchase that nobody has heard of: found, made ours, released.
manifest m.ini small a b
service <<<"$fast
[fault.x]
action = CreateDtsInstance
do = hang"
killed CreateDtsInstance 2
expect_exit 0 destroy --dry-run --endpoint "$DTS_ENDPOINT" m.ini
expect_err 'destroy looks for the instance first'
expect_exit 0 destroy --yes --endpoint "$DTS_ENDPOINT" m.ini
expect_err 'adopted'
simulator_stop
equal "nothing bought is left" 0 "$(instances w.json)"
equal "nothing recorded is left" 0 "$(recorded m.state.json)"

# One more than ours: somebody decides, and until then destroy does not end well.
manifest m.ini small a
service <<<"$fast
[fault.x]
action = CreateDtsInstance
do = hang
[stranger]
after = CreateDtsInstance
max = 1"
killed CreateDtsInstance 1
expect_exit 4 destroy --yes --endpoint "$DTS_ENDPOINT" m.ini
expect_err '2 instances could be it'
simulator_stop
equal "both are still there" 2 "$(instances w.json)"

# The service said that it did not buy: what stands there is as likely a stranger's, so nobody takes it unasked.
for what in code:InternalError:500 status:502; do
	manifest m.ini small a b
	service <<<"$fast
[fault.x]
action = CreateDtsInstance
nth = 1
do = $what
[stranger]
after = CreateDtsInstance
max = 1"
	apply 4
	expect_err "or somebody else's"
	simulator_stop
	equal "$what: bought but once more" 2 "$(calls CreateDtsInstance)"
	stranger=$(sed -n 's/.*"id": *"\(dts[^"]*\)".*"stranger": *true.*/\1/p' w.json)
	check "$what: there is a stranger" test -n "$stranger"
	refute "$what: and it is not recorded" grep -q "$stranger" m.state.json
done

# Without any candidate it is bought.
manifest m.ini small a
service <<<"$fast
[fault.x]
action = CreateDtsInstance
nth = 1
do = code:InternalError:500"
apply 0
equal "bought after the error" 2 "$(calls CreateDtsInstance)"
simulator_stop

# A purchase in question whose section is gone is not "nothing to do".
manifest m.ini small a
service <<<"$fast
[fault.x]
action = CreateDtsInstance
do = hang"
killed CreateDtsInstance 1
cp m.ini kept.ini
sed -i '/^\[sync/,$d' m.ini
expect_exit 2 plan --detailed-exitcode --endpoint "$DTS_ENDPOINT" m.ini
expect_err 'the answer of its purchase was lost, and its section is gone: the next apply looks for the instance'
cp kept.ini m.ini
expect_exit 0 apply --yes --endpoint "$DTS_ENDPOINT" m.ini
simulator_stop
equal "bought once" 1 "$(instances w.json)"
