# shellcheck shell=bash
# Helpers of the end-to-end tests. run.sh sources this file and then one file of
# tests/e2e in a fresh directory; $DTS is the binary, $ROOT the source tree.
#
# A check is one line of judgement: check, expect_*; the names say what was wrong
# when it failed. `dts` runs the binary and keeps $STATUS, $OUT and $ERR (files).

CHECKS_OK=0
CHECKS_BAD=0
OUT=$PWD/.out
ERR=$PWD/.err
STATUS=0
SIM_PID=
SIM_PORT=

# What a developer's shell may hold must not leak into a test.
unset "${!ALIBABA_CLOUD_@}" "${!ALICLOUD_@}" "${!DTSBATCH_@}" CREDENTIALS_DIRECTORY NO_COLOR
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY SSL_CERT_FILE
export HOME=$PWD LC_ALL=C TERM=dumb
export SOURCE_PASSWORD='source-5ecret' TARGET_PASSWORD='target-5ecret'
# The simulated service is fast unless a test wants to watch it.
export DTSBATCH_SIM_SCALE=2000

pass() {
	CHECKS_OK=$((CHECKS_OK + 1))
}

# fail NAME [DETAIL]: detail is what the last command said unless given.
fail() {
	CHECKS_BAD=$((CHECKS_BAD + 1))
	printf 'FAIL %s\n' "$1"
	if [ $# -gt 1 ]; then
		printf '%s\n' "$2" | sed 's/^/     | /'
	elif [ -e "$OUT" ]; then
		{
			printf '$ %s\n' "${LAST:-}"
			printf 'status %s\n' "$STATUS"
			head -n 40 "$OUT" | sed 's/^/out: /'
			head -n 40 "$ERR" | sed 's/^/err: /'
		} | sed 's/^/     | /'
	fi
}

# check NAME CMD...: the command succeeds.
check() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then pass; else fail "$name" "$* -> $? $said"; fi
}

# refute NAME CMD...: the command fails.
refute() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then fail "$name" "$* succeeded: $said"; else pass; fi
}

# equal NAME WANTED GOT
equal() {
	if [ "$2" = "$3" ]; then pass; else fail "$1" "wanted \"$2\", got \"$3\""; fi
}

# dts ARG...: run, keep status and output. Standard input is empty.
dts() {
	LAST="dtsbatch $*"
	STATUS=0
	timeout "${DTS_TIMEOUT:-60}" "$DTS" "$@" >"$OUT" 2>"$ERR" </dev/null || STATUS=$?
}

# expect_exit N ARG...: dtsbatch ARG... ends with status N.
expect_exit() {
	local want=$1
	shift
	dts "$@"
	if [ "$STATUS" -eq "$want" ]; then
		pass
	else
		fail "exit $want: dtsbatch $*"
	fi
}

# On the output of the last run; patterns are extended regular expressions.
expect_out() {
	if grep -Eq -e "$1" "$OUT"; then pass; else fail "stdout has /$1/"; fi
}
expect_err() {
	if grep -Eq -e "$1" "$ERR"; then pass; else fail "stderr has /$1/"; fi
}
expect_not_out() {
	if grep -Eq -e "$1" "$OUT"; then fail "stdout lacks /$1/"; else pass; fi
}
expect_not_err() {
	if grep -Eq -e "$1" "$ERR"; then fail "stderr lacks /$1/"; else pass; fi
}
expect_silence() {
	if [ -s "$OUT" ] || [ -s "$ERR" ]; then fail "silence"; else pass; fi
}
# Every line of stdout is one JSON object with a version, and nothing is on stderr.
expect_json() {
	if [ -s "$OUT" ] && ! [ -s "$ERR" ] && ! grep -Evq '^\{"v":1,"type":"[a-z_]+".*\}$' "$OUT"; then
		pass
	else
		fail "JSON Lines on stdout, nothing on stderr"
	fi
}

# field FILE KEY: values of a top-level string or number key, one per line. For files with one object per line.
field() {
	sed -n "s/^.*[{,]\"$2\": *\"\\{0,1\\}\\([^\",}]*\\).*\$/\\1/p" "$1"
}

# calls [ACTION]: how often the request log holds it (all changing and reading calls without an argument).
calls() {
	local n
	n=$(grep -c "\"action\":\"${1:-}" "${SIM_LOG:-sim.log}" 2>/dev/null) || :
	echo "${n:-0}"
}

# pair FILE NAME [LINE...]: writes an instance and a job that belong together; lines go into the job.
pair() {
	local file=$1 name=$2
	shift 2
	{
		cat <<-INI
			[dtsbatch]
			region = cn-hangzhou

		INI
		pair_sections "$name"
		if [ $# -gt 0 ]; then printf '%s\n' "$@"; fi
	} >"$file"
}

pair_sections() {
	cat <<-INI
		[synchronization_instance.$1]
		payment_type                     = PayAsYouGo
		source_endpoint_engine_name      = MySQL
		source_endpoint_region           = \${region}
		destination_endpoint_engine_name = MySQL
		destination_endpoint_region      = \${region}
		instance_class                   = small

		[synchronization_job.$1]
		dts_instance_id                    = \${synchronization_instance.$1.id}
		dts_job_name                       = $1
		source_endpoint_instance_type      = RDS
		source_endpoint_instance_id        = rm-source-$1
		source_endpoint_engine_name        = MySQL
		source_endpoint_region             = \${region}
		source_endpoint_user_name          = dts
		source_endpoint_password           = \${env:SOURCE_PASSWORD}
		destination_endpoint_instance_type = RDS
		destination_endpoint_instance_id   = rm-target-$1
		destination_endpoint_engine_name   = MySQL
		destination_endpoint_region        = \${region}
		destination_endpoint_user_name     = dts
		destination_endpoint_password      = \${env:TARGET_PASSWORD}
		db_list                  = { "shop": { "name": "shop", "all": true } }
		structure_initialization = true
		data_initialization      = true
		data_synchronization     = true
		reserve                  = { "targetTableMode": "0" }
		status                   = Synchronizing
	INI
}

# recorded STATE: number of resources in a state file.
recorded() {
	grep -c '"address":' "$1" || :
}

# instances WORLD: those that are bought and not released.
instances() {
	grep '"architecture":' "$1" | grep -vc '"gone_ms"' || :
}

# serial STATE
serial() {
	sed -n 's/.*"serial": *\([0-9]*\).*/\1/p' "$1" | head -n 1
}

# secret_free FILE...: no password of the tests stands in them, in no spelling.
secret_free() {
	! grep -l -e "$SOURCE_PASSWORD" -e "$TARGET_PASSWORD" -e '5ecret' -- "$@"
}

# simulator_start ARG...: a server on a free port; SIM_PORT and DTS_ENDPOINT are set, its credentials exported.
simulator_start() {
	local i
	export ALIBABA_CLOUD_ACCESS_KEY_ID=testid ALIBABA_CLOUD_ACCESS_KEY_SECRET=testsecret
	: >.sim.out
	: >.sim.err
	"$DTS" simulator --keys testid:testsecret "$@" >.sim.out 2>.sim.err </dev/null &
	SIM_PID=$!
	SIM_PORT=
	for ((i = 0; i < 100; i++)); do
		SIM_PORT=$(sed -n 's/.*127\.0\.0\.1:\([0-9]*\).*/\1/p' .sim.out .sim.err | head -n 1)
		[ -z "$SIM_PORT" ] || break
		kill -0 "$SIM_PID" 2>/dev/null || break
		sleep 0.05
	done
	export DTS_ENDPOINT=http://127.0.0.1:$SIM_PORT
	[ -n "$SIM_PORT" ] || fail "the simulator starts" "$(cat .sim.out .sim.err)"
}

# simulator_stop: ends it in order; its status in SIM_STATUS.
# shellcheck disable=SC2034
simulator_stop() {
	SIM_STATUS=0
	[ -n "$SIM_PID" ] || return 0
	kill -TERM "$SIM_PID" 2>/dev/null || :
	wait "$SIM_PID" || SIM_STATUS=$?
	SIM_PID=
}

# sim_control OPERATION: of src/sim/README.md, to the running simulator; its answer.
sim_control() (
	exec 7<>"/dev/tcp/127.0.0.1/$SIM_PORT" || exit 1
	printf 'GET /_sim/%s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$1" >&7
	cat <&7
)

# tty_run ANSWER ARG...: dtsbatch on a terminal on which ANSWER is typed at the question (tests/pty.c); what it wrote, both streams, in
# $OUT. have_tty: whether this machine gives terminals at all.
have_tty() {
	[ -x "${PTY:-}" ] || { fail "tests/pty.c builds" "no program"; return 1; }
	if "$PTY" '' '' true >/dev/null 2>&1; then return 0; fi
	[ $? -ne 125 ]
}
tty_run() {
	local answer=$1
	shift
	LAST="dtsbatch $* (on a terminal)"
	STATUS=0
	: >"$ERR"
	TERM=xterm "$PTY" 'goes on' "$answer" "$DTS" "$@" >"$OUT" 2>"$ERR" || STATUS=$?
}

finish() {
	simulator_stop
	printf 'checks %d %d\n' "$CHECKS_OK" "$CHECKS_BAD"
}
