# shellcheck shell=bash
# Words, options, exit statuses that need no service.
expect_exit 64
expect_err '^usage: dtsbatch'
expect_exit 0 --help
expect_out '^  apply +make DTS match'
expect_not_out 'doctor'
expect_exit 0 -h
expect_exit 0 apply --help
expect_out '^ +--deadline DUR +'
expect_not_out '  --port'
expect_exit 0 version
expect_out '^dtsbatch [0-9]+\.[0-9]+\.[0-9]+'
expect_exit 0 --version
expect_out '^dtsbatch [0-9]'
expect_exit 0 version --json
expect_json
expect_out '"name":"mbedtls","version":"3\.6'
equal "version --json is one line" 1 "$(wc -l <"$OUT")"

expect_exit 64 aply
expect_err 'unknown command aply'
expect_err 'did you mean apply'
expect_exit 64 apply --paralelism 3
expect_err 'did you mean --parallelism'
expect_exit 64 validate --deadline 5m
expect_err 'validate takes no option --deadline'
expect_exit 64 apply --deadline soon
expect_exit 64 apply --state
for later in fmt graph doctor export completion; do
	expect_exit 64 "$later"
	expect_err 'not in this version'
done
expect_exit 64 apply --report r.html
expect_err 'not in this version'
expect_exit 64 state mv a b
expect_exit 64 state
expect_exit 64 import only-one
expect_exit 64 plan --json --nonsense
expect_json
expect_out '"message":"unknown option --nonsense"'

expect_exit 0 explain
expect_out 'synchronization_job'
expect_out 'endpoint_change'
expect_exit 0 explain synchronization_job
expect_out '^  db_list +required'
expect_exit 0 explain synchronization_job.db_list
expect_out 'ConfigureDtsJob'
expect_exit 0 explain db_list
expect_exit 0 explain protect
expect_exit 64 explain synchronization_job.db_lst
expect_err 'did you mean db_list'

# Manifests that are not there, or are none.
expect_exit 65 validate
expect_err 'no \*\.ini'
expect_exit 65 validate nothing.ini
expect_err 'nothing\.ini'
mkdir empty
expect_exit 65 validate empty
echo '; only a comment' >hollow.ini
expect_exit 65 validate hollow.ini
pair good.ini orders
expect_exit 0 validate good.ini
expect_out '2 resources'
expect_exit 0 validate -f good.ini
expect_exit 0 validate --json good.ini
expect_json
expect_exit 0 validate --quiet good.ini
expect_silence

# All mistakes at once, compiler style; the same as JSON.
sed 's/^db_list.*/db_lst = {}/; s/^data_initialization.*/data_initialization = yes/' good.ini >bad.ini
expect_exit 65 validate bad.ini
expect_err '^bad\.ini:[0-9]+:[0-9]+: error: .*db_lst'
expect_err '^bad\.ini:[0-9]+:[0-9]+: error: .*data_initialization|^bad\.ini:[0-9]+:[0-9]+: error: .*true or false'
expect_exit 65 validate --json bad.ini
expect_json
expect_out '"level":"error","file":"bad\.ini","line":[0-9]+,"column":[0-9]+'

# Secrets: review works without, apply does not.
unset SOURCE_PASSWORD
expect_exit 0 validate good.ini
expect_exit 65 apply --yes good.ini
expect_err '^good\.ini:[0-9]+:[0-9]+: error: .*SOURCE_PASSWORD'
check "nothing was created for it" test ! -e good.state.json

# The state's name.
pair_sections other >other.ini
export SOURCE_PASSWORD=again
expect_exit 64 plan good.ini other.ini
expect_err '[-]-state F'
expect_exit 64 plan --state x.json good.ini
expect_err 'state\.json'

# explain for machines; numbers that are none.
expect_exit 0 explain --json
expect_json
expect_out '"of":"synchronization_job","key":"db_list"'
expect_exit 0 explain --json synchronization_instance
expect_json
expect_exit 0 explain --json protect
expect_json
for n in nan inf -1 1e999 '' x; do
	expect_exit 64 simulator --keys a:b --time-scale="$n"
done
expect_exit 64 simulator --keys a:b --port 70000
expect_exit 64 apply --parallelism 0

# The nearest key, or where the keys are listed.
expect_exit 64 explain synchronization_job.nosuch
expect_err 'dtsbatch explain synchronization_job'
expect_exit 64 apply --deadline 90
expect_err '90s'
pair near.ini orders
expect_exit 64 plan --simulate --endpoint http://127.0.0.1:9 near.ini
expect_err 'endpoint does not go with it'
expect_exit 0 plan --simulate --deadline 5m --parallelism 4 --max-deletes 1 near.ini
expect_exit 0 destroy --simulate --yes near.ini
expect_out 'nothing is wanted and nothing is recorded'

# Secrets that are missing: noted in the order of the lines; a made-up one is not compared with a real one of an earlier run.
expect_exit 0 apply --simulate --yes near.ini
saved_source=$SOURCE_PASSWORD saved_target=$TARGET_PASSWORD
unset SOURCE_PASSWORD TARGET_PASSWORD
expect_exit 0 plan --simulate --detailed-exitcode near.ini
equal "notes in the order of the lines" "$(grep -o 'near.ini:[0-9]*' "$ERR")" "$(grep -o 'near.ini:[0-9]*' "$ERR" | sort -t: -k2n)"
equal "two notes" 2 "$(grep -c 'made-up value' "$ERR")"
export SOURCE_PASSWORD=$saved_source TARGET_PASSWORD=$saved_target

# What is too much is named, and what is missing; a remark is counted where it repeats.
expect_exit 64 state verify near.ini
expect_err 'state verify: .near\.ini. is too much'
expect_exit 64 state mv synchronization_job.orders
expect_err 'state mv takes ADDRESS NEW'
expect_exit 64 state nothing
expect_err 'state takes list, show ADDRESS, rm ADDRESS, mv ADDRESS NEW, verify, forget-intent ADDRESS, rebuild'
pair many.ini orders
# shellcheck disable=SC2016
sed -i 's/^\[sync.*/&\nfor_each = a, b, c, d, e, f/; s/\(^dts_instance_id.*orders\)\./\1["${each}"]./; s/^dts_job_name.*/dts_job_name = orders-${each}/; /^reserve/d' many.ini
echo 'reserve = {"srcSSL":"0"}' >>many.ini
expect_exit 0 validate many.ini
expect_err 'reserve without targetTableMode: .* \(and 5 more like it\)'
expect_exit 0 validate --json many.ini
expect_out '"message":"reserve without targetTableMode.*"times":6'

# A simulator that cannot begin says why.
expect_exit 64 simulator --keys a:b --scenario nothing.scn
expect_err 'scenario nothing\.scn: No such file'
for text in '{}' '[fault]' '[timing]\ncolour = red' '[precheck.1]\nitem = CHECK_NEVER_HEARD'; do
	printf '%b\n' "$text" >bad.scn
	expect_exit 64 simulator --keys a:b --scenario bad.scn
	expect_err 'bad\.scn:[0-9]+: '
done
expect_exit 1 simulator --keys a:b --log no/such/file
expect_err 'request log no/such/file: No such file'
echo '{}' >bad.world
expect_exit 78 simulator --keys a:b --world bad.world
expect_err 'bad\.world'

# `help COMMAND` is `COMMAND --help`; short names stand beside long ones.
expect_exit 0 help plan
expect_out '^usage: dtsbatch plan '
expect_out '^  -f, --file MANIFEST '
expect_exit 64 help plna
expect_err 'did you mean plan'

# A region without a known host is named with who wants it; one host named for several regions is a warning.
pair far.ini orders
sed -i 's/^destination_endpoint_region .*/destination_endpoint_region = xx-nowhere-9/' far.ini
export ALIBABA_CLOUD_ACCESS_KEY_ID=i ALIBABA_CLOUD_ACCESS_KEY_SECRET=s
expect_exit 65 plan far.ini
expect_err 'synchronization_instance\.orders: no endpoint is known for the region xx-nowhere-9'
sed -i 's/xx-nowhere-9/us-west-1/' far.ini
dts plan --deadline 1s --endpoint dts.invalid far.ini
expect_err 'synchronization_instance\.orders lies in us-west-1, but the endpoint dts\.invalid was named for all'
