# shellcheck shell=bash
# What the service refuses is said once, with the request id and what to do; the rest goes on.
export DTSBATCH_SIM_LOG=sim.log
{
	printf '[dtsbatch]\nregion = cn-hangzhou\n'
	pair_sections good
	pair_sections bad
} >m.ini

cat >precheck.scenario <<-'INI'
	[precheck.conn]
	job     = bad
	item    = CHECK_CONN_SRC
	message = cannot connect to the source
	repair  = open the security group
INI
DTSBATCH_SIM_SCENARIO=precheck.scenario expect_exit 3 apply --simulate --yes m.ini
expect_err 'synchronization_job\.good.*done'
expect_err 'synchronization_job\.bad.*failed'
expect_err 'CHECK_CONN_SRC'
expect_err 'cannot connect to the source'
expect_err 'open the security group'
DTSBATCH_SIM_SCENARIO=precheck.scenario expect_exit 3 apply --simulate --yes --json m.ini
expect_json
expect_out '"precheck":\[\{"item":"CHECK_CONN_SRC"'
expect_exit 0 apply --simulate --yes m.ini
equal "nothing was bought again" 2 "$(calls CreateDtsInstance)"
expect_exit 0 plan --simulate --detailed-exitcode m.ini

# Denied.
cat >deny.scenario <<-'INI'
	[auth]
	deny = ModifyDtsJobName
INI
sed -i 's/^dts_job_name .*bad/dts_job_name = renamed/' m.ini
DTSBATCH_SIM_SCENARIO=deny.scenario expect_exit 77 apply --simulate --yes --quiet m.ini
expect_err 'Forbidden'
expect_err '[0-9A-F]{8}-[0-9A-F]{4}-'

# Throttled and broken answers are lived through.
cat >rough.scenario <<-'INI'
	[fault.busy]
	action = *
	every  = 3
	do     = code:Throttling.User:400
	[fault.gateway]
	action = Describe*
	every  = 4
	do     = status:502
	[fault.garbage]
	action = Describe*
	every  = 7
	do     = garbage
INI
DTSBATCH_SIM_SCENARIO=rough.scenario expect_exit 0 apply --simulate --yes m.ini
expect_exit 0 plan --simulate --detailed-exitcode m.ini

# A purchase whose answer is lost is bought once.
rm -f sim.log
pair lost.ini lost
sed -i 's/^region.*/&\nsettle = 2s/' lost.ini
cat >lost.scenario <<-'INI'
	[fault.lost]
	action = CreateDtsInstance
	nth    = 1
	do     = cut-after
INI
DTSBATCH_SIM_SCENARIO=lost.scenario dts apply --simulate --yes lost.ini
expect_exit 0 apply --simulate --yes lost.ini
equal "bought once" 1 "$(calls CreateDtsInstance)"
equal "one instance in the world" 1 "$(instances lost.sim.world.json)"

# Gone behind our back: more than a fifth smells of a wrong account.
{
	printf '[dtsbatch]\nregion = cn-hangzhou\n'
	for k in a b c; do pair_sections "$k"; done
} >gone.ini
expect_exit 0 apply --simulate --yes gone.ini
rm -f gone.sim.world.json
expect_exit 4 apply --simulate --yes gone.ini
expect_err 'max-gone'
expect_exit 0 apply --simulate --yes --max-gone 99 gone.ini
expect_exit 0 plan --simulate --detailed-exitcode gone.ini

# Configure first: a failed precheck costs nothing, and says so with its items.
sed 's/^dts_job_name.*/dts_job_name = free/' "$ROOT/jobs/examples/configure-first.ini" >free.ini
printf '[precheck.x]\njob = free*\nitem = CHECK_BINLOG_ON\nmessage = binlog is off\ntimes = 1\n' >free.scenario
DTSBATCH_SIM_SCENARIO=free.scenario expect_exit 1 apply --simulate --yes free.ini
expect_err 'the precheck failed'
expect_err 'CHECK_BINLOG_ON'
expect_err 'nothing was bought and nothing is to pay'
equal "nothing was bought" 0 "$(instances free.sim.world.json)"
# What the service does not answer for is not taken as gone, or it would be made again.
printf '[fault.x]\naction = DescribeDtsJobDetail\ndo = code:Odd.Refusal:400\n' >silent.scenario
DTSBATCH_SIM_SCENARIO=silent.scenario expect_exit 1 apply --simulate --yes free.ini
expect_err 'Odd\.Refusal'
expect_exit 0 apply --simulate --yes free.ini
equal "bought once" 1 "$(instances free.sim.world.json)"
equal "one job in all" 1 "$(grep -c '"direction"' free.sim.world.json)"
expect_exit 0 plan --simulate --detailed-exitcode free.ini

# The free job of a section that buys first now is given up by its own id, not by that of the new instance.
sed -e 's/^dts_job_name.*/dts_job_name = turned/' "$ROOT/jobs/examples/configure-first.ini" >turned.ini
sed 's/^job.*/job = turned*/' free.scenario >turned.scenario
DTSBATCH_SIM_SCENARIO=turned.scenario expect_exit 1 apply --simulate --yes turned.ini
# shellcheck disable=SC2016 # a reference of the manifest
{
	grep -vE '^(payment_type|instance_class|sync_architecture|compute_unit|database_count) *=' turned.ini | sed 's/^dts_job_name.*/&\ndts_instance_id = ${synchronization_instance.x.id}/'
	pair_sections x | sed '/^$/,$d'
} >turned.new
mv turned.new turned.ini
DTS_TIMEOUT=30 expect_exit 0 apply --simulate --yes turned.ini
equal "one job that lives" 1 "$(grep '"direction"' turned.sim.world.json | grep -vc '"gone_ms"')"
equal "bought once" 1 "$(instances turned.sim.world.json)"
expect_exit 0 plan --simulate --detailed-exitcode turned.ini

# Items that may be skipped are suggested together; what the service then refuses was not skipped.
cat >skip.scenario <<-'INI'
	[precheck.a]
	item = CHECK_SAME_OBJ
	[precheck.b]
	item = CHECK_SRC
	[fault.refuse]
	action = SkipPreCheck
	nth = 1
	count = 1
	do = code:OperationDenied:403
INI
pair skip.ini orders
DTSBATCH_SIM_SCENARIO=skip.scenario expect_exit 3 apply --simulate --yes skip.ini
expect_err '^ +may be skipped: skip_precheck = (CHECK_SAME_OBJ, CHECK_SRC|CHECK_SRC, CHECK_SAME_OBJ)$'
echo 'skip_precheck = CHECK_SAME_OBJ, CHECK_SRC' >>skip.ini
expect_exit 0 plan --simulate skip.ini
expect_out 'skip_precheck: a failure of CHECK_SAME_OBJ, CHECK_SRC is accepted'
DTSBATCH_SIM_SCENARIO=skip.scenario expect_exit 3 apply --simulate --yes skip.ini
expect_err 'OperationDenied'
expect_err 'mend the cause; the next run starts the job again'
expect_not_err 'items skipped'
sed -i '/fault/,$d' skip.scenario
DTSBATCH_SIM_SCENARIO=skip.scenario expect_exit 0 apply --simulate --yes skip.ini
expect_err 'precheck items skipped as skip_precheck says'
