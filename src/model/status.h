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

/* What to do about ST_LOCKED. */
#define STATUS_LOCKED_TEXT                                                                         \
	"the instance is locked (overdue or expired): pay or renew it first; locked for 7 days, it is released"

enum job_status status_parse(const char *raw);
const char *status_name(enum job_status s); /* the service's list spelling */
enum status_class status_class(enum job_status s);
/* Does a job in status s satisfy `status = Synchronizing|Suspending` of a manifest? Initializing counts as Synchronizing;
 * NotStarted satisfies Suspending (design.md 4 and 5), and so does PreCheckPass, in which a job rests that was bought after
 * its precheck and not started. want NULL: any configured state that is neither a failure nor on
 * its way (Prechecking may still fail). */
bool status_satisfies(enum job_status s, const char *want);
/* Is a job in status s on its way to what is wanted by itself, so that there is nothing to send? A word that we do not know
 * and PreCheckPass are not: what they lead to is open. */
bool status_approaches(enum job_status s, const char *want);

#endif
