# shellcheck shell=bash
# Nobody answers: a run gives up after a minute of trying, with 69 and the reason.
pair m.ini orders
export ALIBABA_CLOUD_ACCESS_KEY_ID=i ALIBABA_CLOUD_ACCESS_KEY_SECRET=s
begun=$SECONDS
DTS_TIMEOUT=120 expect_exit 69 apply --yes --endpoint http://127.0.0.1:9 m.ini
expect_err 'connection refused'
expect_err '127\.0\.0\.1:9'
check "it tried for a while, and not for ever" test $((SECONDS - begun)) -ge 20 -a $((SECONDS - begun)) -le 100
check "a line says so while it tries" grep -q '^ .*DescribeDtsJobs: .*connection refused.*; again in' "$ERR"
check "not at every try" test "$(grep -c 'again in' "$ERR")" -le 8
# A deadline comes first.
begun=$SECONDS
dts apply --yes --deadline 3s --endpoint http://127.0.0.1:9 m.ini
equal "the deadline ends it" 75 "$STATUS"
expect_err 'the deadline was reached before the work began; last: .*connection refused'
check "in time ($((SECONDS - begun)) s)" test $((SECONDS - begun)) -le 6
# So does a signal.
"$DTS" apply --yes --endpoint http://127.0.0.1:9 m.ini >/dev/null 2>&1 </dev/null &
sleep 2
begun=$SECONDS
kill -TERM $!
wait $!
equal "SIGTERM while nobody answers" 143 $?
check "at once ($((SECONDS - begun)) s)" test $((SECONDS - begun)) -le 3
