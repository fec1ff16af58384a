# shellcheck shell=bash
# Waiting costs nothing: a hundred jobs whose precheck takes five seconds are done in under eight.

items=$(seq -s, 1 100)
cat >m.ini <<INI
[dtsbatch]
region = cn-hangzhou
[synchronization_instance.p]
for_each = $items
payment_type = PayAsYouGo
source_endpoint_engine_name = MySQL
source_endpoint_region = \${region}
destination_endpoint_engine_name = MySQL
destination_endpoint_region = \${region}
[synchronization_job.p]
for_each = $items
dts_instance_id = \${synchronization_instance.p["\${each}"].id}
dts_job_name = job-\${each}
source_endpoint_instance_type = RDS
source_endpoint_instance_id = rm-source
source_endpoint_engine_name = MySQL
source_endpoint_region = \${region}
source_endpoint_user_name = u
source_endpoint_password = \${env:SOURCE_PASSWORD}
destination_endpoint_instance_type = RDS
destination_endpoint_instance_id = rm-target
destination_endpoint_engine_name = MySQL
destination_endpoint_region = \${region}
destination_endpoint_user_name = u
destination_endpoint_password = \${env:TARGET_PASSWORD}
structure_initialization = true
data_initialization = true
data_synchronization = true
db_list = {"shop": {"name": "shop", "all": true}}
status = Synchronizing
INI
printf '[timing]\nprecheck = 5s\nprecheck_pass = 0s\ninitializing = 0s\nlist_lag = 0s\n[limits]\noff = true\n' >scenario
begun=$(date +%s%N)
DTSBATCH_SIM_SCALE=1 DTSBATCH_SIM_SCENARIO=$PWD/scenario expect_exit 0 apply --simulate --yes m.ini
ms=$((($(date +%s%N) - begun) / 1000000))
echo "100 jobs, precheck 5 s: $ms ms"
check "100 jobs with a precheck of 5 s end in under 8 s ($ms ms)" test "$ms" -lt 8000
dts plan --simulate --detailed-exitcode m.ini
equal "and the plan is empty" 0 "$STATUS"
