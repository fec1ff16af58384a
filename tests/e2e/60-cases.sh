# shellcheck shell=bash
# Manifests as people really wrote them (tests/cases): what is refused is refused in one
# run and sends nothing; what is right is applied, and then there is nothing to do.
cp "$ROOT"/tests/cases/*.ini .
export DTSBATCH_SIM_LOG=sim.log

# good NAME: validate, apply, plan clean, no secret. The log is that of the apply.
good() {
	rm -f sim.log
	expect_exit 0 validate "$1.ini"
	equal "$1: warnings" "${2:-0}" "$(grep -c ': warning: ' "$ERR")"
	expect_exit 0 apply --simulate --yes "$1.ini"
	cp sim.log "$1.log"
	check "$1: no secret" secret_free "$1.sim.state.json" "$1.sim.world.json" "$1.log" "$OUT" "$ERR"
	expect_exit 0 plan --simulate --detailed-exitcode "$1.ini"
}

# sent TEXT: the log of the last apply holds it (JSON inside JSON: quotes are escaped once).
sent() {
	check "sent: $1" grep -qF -e "$1" sim.log
}
not_sent() {
	refute "not sent: $1" grep -qF -e "$1" sim.log
}

# bad NAME ERRORS: 65 from validate and from apply, so many errors, no call.
bad() {
	rm -f sim.log
	expect_exit 65 apply --simulate --yes "$1.ini"
	check "$1: no call" test ! -s sim.log
	expect_exit 65 validate "$1.ini"
	equal "$1: errors" "$2" "$(grep -c ': error: ' "$ERR")"
}

good a01-redis-attached-columns
equal "configured first, then bought" 'ConfigureDtsJob CreateDtsInstance' \
	"$(grep -o '"action":"C[a-zA-Z]*' sim.log | cut -d'"' -f4 | tr '\n' ' ' | sed 's/ $//')"
sent 'customAttachedColumn'
not_sent '"DestinationEndpointUserName"'

good a02-adb-partition
sent 'part_key'

good a03-two-way-pair 1
equal "one purchase" 1 "$(calls CreateDtsInstance)"
equal "two configurations" 2 "$(calls ConfigureDtsJob)"
sent '"SynchronizationDirection":"Forward"'
sent '"SynchronizationDirection":"Reverse"'
rm -f sim.log
expect_exit 0 destroy --simulate --yes a03-two-way-pair.ini
equal "a03-two-way-pair: released once" 0 "$(instances a03-two-way-pair.sim.world.json)"

good a05-state-in-db-list
not_sent '\"state\"'
good a06-empty-values
not_sent 'OwnerID'
not_sent '"DedicatedClusterId"'
good a09-false-is-a-value
sent '"StructureInitialization":"false"'
sent '"DataInitialization":"false"'
sent '"DataSynchronization":"true"'
sent '"Checkpoint"'
good a10-engine-spellings
sent 'Greenplum'
sent 'GREENPLUM'
good a12-swallowed-key
sent '"ErrorNotice":"true"'
good a13-password-characters 2
expect_exit 65 validate --strict a13-password-characters.ini
expect_not_err 'begin-and-end'
expect_not_out 'begin-and-end'
good a15-bom-crlf-blanks
not_sent '\r'
not_sent '\\r'
good a16-long-lines
equal "400 tables arrived" 400 "$(grep '"action":"ConfigureDtsJob"' sim.log | grep -o '\\"name\\":\\"t[a-z_]*[0-9][0-9]*' | sort -u | wc -l)"
good a19-runtime-parameters
check "applied after creation" test "$(calls ModifyDtsJobConfig)" -ge 1
good a20-chinese-and-signature-characters
sent '订单 同步!*'
sent "()~+&=%/?#[]@"
sent '😀'
sent "O''Hare"

bad a04-terraform-escaped-json 1
expect_err 'write db_list = \{'
bad a07-role-is-a-name 2
expect_err 'dts-reader'
bad a08-alarms 5
expect_err 'U\+FF0C'
bad a11-invented-keys 8
expect_err 'did you mean instance_class'
bad a14-inline-comment-habit 2
equal "two warnings" 2 "$(grep -c ': warning: ' "$ERR")"
bad a17-json-key-twice 1
expect_err 'a17-json-key-twice\.ini:[0-9]+:[0-9]+$'
bad a18-old-object-format 1
expect_err 'ConfigureSynchronizationJob'

# A misspelt indented key is an unknown key at its line, never part of a password.
sed 's/status  *=/statsu =/' a12-swallowed-key.ini >misspelt.ini
bad misspelt 1
expect_err 'statsu'
