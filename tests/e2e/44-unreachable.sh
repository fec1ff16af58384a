# shellcheck shell=bash
# Nobody answers: a run gives up after a minute of trying, with 69 and the reason.
pair m.ini orders
export ALIBABA_CLOUD_ACCESS_KEY_ID=i ALIBABA_CLOUD_ACCESS_KEY_SECRET=s
begun=$SECONDS
DTS_TIMEOUT=120 expect_exit 69 apply --yes --endpoint http://127.0.0.1:9 m.ini
expect_err 'connection refused'
expect_err '127\.0\.0\.1:9'
check "it tried for a while, and not for ever" test $((SECONDS - begun)) -ge 20 -a $((SECONDS - begun)) -le 100
# A deadline comes first.
DTS_TIMEOUT=60 dts apply --yes --deadline 3s --endpoint http://127.0.0.1:9 m.ini
check "ended by the deadline or the network ($STATUS)" test "$STATUS" = 75 -o "$STATUS" = 69
