# shellcheck shell=bash
# Whoever reads our output may go away: the work goes on, and its status is that of the work. (case a22-reader-goes-away)
cp "$ROOT/jobs/examples/two-way.ini" two.ini
"$DTS" apply --simulate --yes --state x.state.json two.ini </dev/null 2>/dev/null | head -n 1 >first
status=${PIPESTATUS[0]}
equal "apply | head -1" 0 "$status"
expect_exit 0 plan --simulate --detailed-exitcode --state x.state.json two.ini

"$DTS" apply --simulate --yes --state y.state.json two.ini </dev/null 2>&1 | head -n 1 >first
status=${PIPESTATUS[0]}
equal "apply 2>&1 | head -1" 0 "$status"
expect_exit 0 plan --simulate --detailed-exitcode --state y.state.json two.ini

"$DTS" apply --simulate --yes --json --state j.state.json two.ini </dev/null 2>&1 | head -n 1 >first
status=${PIPESTATUS[0]}
equal "apply --json | head -1" 0 "$status"
expect_exit 0 plan --simulate --detailed-exitcode --state j.state.json two.ini

"$DTS" apply --simulate --yes --state z.state.json two.ini </dev/null >&- 2>&-
equal "apply >&- 2>&-" 0 $?
expect_exit 0 plan --simulate --detailed-exitcode --state z.state.json two.ini
refute "nothing of ours became stdout" grep -q 'dtsbatch apply' z.sim.state.json

# A plan that could not be written is none.
"$DTS" plan --simulate --state c.state.json two.ini >&- 2>/dev/null </dev/null
equal "plan >&-" 1 $?
if [ -e /dev/full ]; then
	"$DTS" plan --simulate --state n.state.json two.ini >/dev/full 2>full.err </dev/null
	equal "plan >/dev/full" 1 $?
	check "and says why" grep -q '^error: cannot write to standard output: No space left' full.err
	"$DTS" apply --simulate --yes --state f.state.json two.ini >/dev/full 2>/dev/null </dev/null
	equal "apply >/dev/full" 0 $?
	"$DTS" version >/dev/full 2>/dev/null
	equal "version >/dev/full" 1 $?
fi
