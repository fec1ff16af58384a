# shellcheck shell=bash
# What cron and machines read.
pair m.ini orders
expect_exit 2 plan --simulate --json --detailed-exitcode m.ini
expect_json
expect_out '"type":"change","address":"synchronization_instance\.orders","action":"create"'
expect_out '"type":"plan".*"create":2'
expect_exit 0 apply --simulate --yes --json m.ini
expect_json
expect_out '"type":"result".*"address":"synchronization_job\.orders".*"result":"done"'
expect_out '"type":"summary".*"create":2'
expect_exit 0 plan --simulate --json m.ini
expect_json
expect_out '"type":"plan","unchanged":2'
expect_exit 0 plan --simulate --quiet m.ini
expect_silence
expect_exit 0 apply --simulate --quiet --yes m.ini
expect_silence

# Something changed: heard of.
sed -i 's/^dts_job_name.*/dts_job_name = other/' m.ini
expect_exit 0 apply --simulate --quiet --yes m.ini
check "a change is reported" test -s "$OUT" -o -s "$ERR"

# No colour in a pipe, and control characters of others never reach a terminal.
name=$(printf 'a\033[31mb.ini')
cp m.ini "$name"
expect_exit 2 plan --simulate --detailed-exitcode "$name"
refute "no escape byte in the output" grep -q "$(printf '\033')" "$OUT" "$ERR"
expect_out 'a.x1b.31mb'
