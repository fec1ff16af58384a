# shellcheck shell=bash
# Which part of the batch, from which files, with which variables.
mkdir jobs
{
	printf '[dtsbatch]\nregion = cn-hangzhou\n'
	pair_sections a
} >jobs/1-a.ini
pair_sections b >jobs/2-b.ini
printf 'not a manifest\n' >jobs/readme.txt
export DTSBATCH_SIM_LOG=sim.log

# A directory is its *.ini; the state lies inside.
expect_exit 0 validate jobs
expect_out '4 resources'
expect_exit 0 apply --simulate --yes --target 'synchronization_job.a' jobs
equal "the job and what it needs" 2 "$(recorded jobs/dtsbatch.sim.state.json)"
expect_exit 2 plan --simulate --detailed-exitcode jobs
expect_out '\+ synchronization_job\.b'
expect_not_out 'synchronization_job\.a '
expect_exit 0 apply --simulate --yes --exclude '*.b' jobs
equal "b left out" 2 "$(recorded jobs/dtsbatch.sim.state.json)"
expect_exit 0 apply --simulate --yes --target '*.b' jobs
expect_exit 0 plan --simulate --detailed-exitcode jobs
(cd jobs && expect_exit 0 plan --simulate --detailed-exitcode && [ "$CHECKS_BAD" = 0 ])
equal "no MANIFEST means ." 0 $?
expect_exit 64 plan --simulate --target '*.nothing' jobs
expect_err 'nothing'

# A file that is gone blocks pruning of what it held.
mv jobs/2-b.ini away
dts apply --simulate --yes --prune --max-deletes 9 jobs
equal "nothing was deleted" 0 "$(calls DeleteDtsJob)"
equal "still four records" 4 "$(recorded jobs/dtsbatch.sim.state.json)"
mv away jobs/2-b.ini

# Several arguments with one state; the environment names it, the option wins.
expect_exit 0 plan --simulate --detailed-exitcode --state jobs/dtsbatch.state.json jobs/1-a.ini jobs/2-b.ini
DTSBATCH_STATE=jobs/dtsbatch.state.json expect_exit 0 plan --simulate --detailed-exitcode jobs/1-a.ini jobs/2-b.ini
DTSBATCH_STATE=nowhere.state.json expect_exit 0 plan --simulate --detailed-exitcode --state jobs/dtsbatch.state.json jobs

# Variables and the region: option over environment over manifest.
cat >v.ini <<-'INI'
	[dtsbatch]
	region = cn-hangzhou
	[variables]
	name = from-manifest
INI
# shellcheck disable=SC2016
pair_sections v | sed 's/^dts_job_name .*/dts_job_name = ${var.name}/' >>v.ini
expect_exit 0 plan --simulate v.ini
expect_out 'dts_job_name +"from-manifest"'
expect_exit 0 plan --simulate --var name=from-option v.ini
expect_out 'dts_job_name +"from-option"'
expect_exit 65 plan --simulate --var name v.ini
DTSBATCH_REGION=cn-beijing expect_exit 0 plan --simulate v.ini
expect_out 'region cn-beijing'
DTSBATCH_REGION=cn-beijing expect_exit 0 plan --simulate --region cn-shanghai v.ini
expect_out 'region cn-shanghai'

# Limits, replacement, absence.
expect_exit 4 apply --simulate --yes --max-changes 1 v.ini
expect_err 'max-changes'
expect_exit 0 apply --simulate --yes --max-changes 2 v.ini
expect_exit 0 plan --simulate --replace synchronization_job.v v.ini
expect_out 'synchronization_job\.v +replace'
sed 's/^\[synchronization_job.v\]/&\nensure = absent/' v.ini >absent.ini
expect_exit 0 apply --simulate --yes --state v.state.json absent.ini
equal "the job is gone, its instance stays" 1 "$(recorded v.sim.state.json)"
equal "the instance was not released" 0 "$(calls DeleteDtsJob)"

# A plan without looking.
expect_exit 0 plan --simulate --refresh=false --state jobs/dtsbatch.state.json jobs
expect_exit 64 apply --simulate --yes --refresh=false jobs
