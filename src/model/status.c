#include "model/status.h"

#include <stddef.h>

#include "base/err.h"
#include "base/text.h"

/* dts-api.md 3.1: the synchronization column. */
static const struct {
	const char *name;
	enum status_class cls;
} rows[ST__COUNT] = {
	[ST_UNKNOWN] = {"unknown", SC_MOVING},
	[ST_NOT_CONFIGURED] = {"NotConfigured", SC_REST},
	[ST_NOT_STARTED] = {"NotStarted", SC_REST},
	[ST_PRECHECKING] = {"Prechecking", SC_MOVING},
	[ST_PRECHECK_FAILED] = {"PrecheckFailed", SC_FAILED},
	/* Rest for an unpurchased job: whoever waits for that one knows it. */
	[ST_PRECHECK_PASS] = {"PreCheckPass", SC_MOVING},
	/* The full copy may run for days and counts as running (the reference's first NOTE). */
	[ST_INITIALIZING] = {"Initializing", SC_RUNNING},
	[ST_INITIALIZE_FAILED] = {"InitializeFailed", SC_FAILED},
	[ST_SYNCHRONIZING] = {"Synchronizing", SC_RUNNING},
	[ST_FAILED] = {"Failed", SC_FAILED},
	[ST_SUSPENDING] = {"Suspending", SC_REST},
	[ST_MODIFYING] = {"Modifying", SC_MOVING},
	[ST_RETRYING] = {"Retrying", SC_MOVING},
	[ST_UPGRADE] = {"Upgrade", SC_MOVING},
	[ST_DOWNGRADE] = {"Downgrade", SC_MOVING},
	[ST_LOCKED] = {"Locked", SC_BLOCKED},
	[ST_FINISHED] = {"Finished", SC_GONE},
};

enum job_status status_parse(const char *raw)
{
	if (!raw)
		return ST_UNKNOWN;
	for (int s = ST_UNKNOWN + 1; s < ST__COUNT; s++)
		if (text_ieq(raw, rows[s].name))
			return (enum job_status)s;
	if (text_ieq(raw, "Initializating")) /* spelling of the older operations */
		return ST_INITIALIZING;
	return ST_UNKNOWN;
}

const char *status_name(enum job_status s)
{
	if ((unsigned)s >= ST__COUNT)
		BUG("status_name(%d)", (int)s);
	return rows[s].name;
}

enum status_class status_class(enum job_status s)
{
	if ((unsigned)s >= ST__COUNT)
		BUG("status_class(%d)", (int)s);
	return rows[s].cls;
}

bool status_satisfies(enum job_status s, const char *want)
{
	enum status_class c = status_class(s);

	/* NotConfigured is what lists that lag behind still say of a job just configured. */
	if (!want)
		return (c == SC_REST && s != ST_NOT_CONFIGURED) || c == SC_RUNNING;
	if (text_ieq(want, "Suspending"))
		return s == ST_SUSPENDING || s == ST_NOT_STARTED || s == ST_PRECHECK_PASS;
	return s == ST_SYNCHRONIZING || s == ST_INITIALIZING;
}

bool status_approaches(enum job_status s, const char *want)
{
	const unsigned moving = ST_BIT(ST_PRECHECKING) | ST_BIT(ST_MODIFYING) |
	                        ST_BIT(ST_RETRYING) | ST_BIT(ST_UPGRADE) | ST_BIT(ST_DOWNGRADE);

	return text_ieq(want, "Synchronizing") && (moving & ST_BIT(s));
}
