/*
 * Job statuses (dts-api.md 3.1), compared without case, whatever the operation's spelling.
 */
#ifndef MODEL_STATUS_H
#define MODEL_STATUS_H

#include <stdbool.h>
#include <stdint.h>

enum job_status {
	ST_UNKNOWN, /* a word we do not know: treated as moving, shown as it came */
	ST_NOT_CONFIGURED,
	ST_NOT_STARTED,
	ST_PRECHECKING,
	ST_PRECHECK_FAILED,
	ST_PRECHECK_PASS,
	ST_INITIALIZING,
	ST_INITIALIZE_FAILED,
	ST_SYNCHRONIZING,
	ST_FAILED,
	ST_SUSPENDING, /* paused; the service has no "Suspended" */
	ST_MODIFYING,
	ST_RETRYING,
	ST_UPGRADE,
	ST_DOWNGRADE,
	ST_LOCKED,
	ST_FINISHED, /* synchronization: released, i.e. gone */
	ST__COUNT
};

#define ST_BIT(s) (1u << (s))

enum status_class { SC_REST, SC_MOVING, SC_RUNNING, SC_FAILED, SC_BLOCKED, SC_GONE };

enum job_status status_parse(const char *raw);
const char *status_name(enum job_status s); /* the service's list spelling */
enum status_class status_class(enum job_status s);
/* Does a job in status s satisfy `status = Synchronizing|Suspending` of a manifest? Initializing counts as Synchronizing;
 * NotStarted satisfies Suspending (design.md 4 and 5), and so does PreCheckPass, in which a job rests that was bought after
 * its precheck and not started. want NULL: any configured state that is neither a failure nor on
 * its way (Prechecking may still fail). */
bool status_satisfies(enum job_status s, const char *want);

#endif
