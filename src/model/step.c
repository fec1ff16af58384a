/*
 * What each step is: its name for people, its action, the statuses in which
 * the service accepts it (dts-api.md 3.3; everything else is waited out), and
 * its impact. A step that waits afterwards says until when in run/wait.c.
 */
#include "base/err.h"
#include "model/plan.h"

#define RUNNING (ST_BIT(ST_SYNCHRONIZING) | ST_BIT(ST_INITIALIZING))
/* Objects and reserve keys are refused while the first copy runs. */
#define SETTLED (ST_BIT(ST_SYNCHRONIZING) | ST_BIT(ST_NOT_STARTED))
#define STARTABLE                                                                                  \
	(ST_BIT(ST_NOT_STARTED) | ST_BIT(ST_PRECHECK_FAILED) | ST_BIT(ST_FAILED) |                 \
	 ST_BIT(ST_INITIALIZE_FAILED) | ST_BIT(ST_SUSPENDING) | ST_BIT(ST_PRECHECK_PASS))
#define UNSTARTED (ST_BIT(ST_NOT_CONFIGURED) | ST_BIT(ST_NOT_STARTED) | ST_BIT(ST_PRECHECK_FAILED))
/* Not while precheck, start or a lock is under way. */
#define RESETTABLE                                                                                 \
	(~(ST_BIT(ST_PRECHECKING) | ST_BIT(ST_LOCKED) | ST_BIT(ST_MODIFYING) | ST_BIT(ST_UPGRADE)))

static const struct step_def steps[STEP__COUNT] = {
	[STEP_NONE] = {"nothing", API_NONE, 0, 0},
	[DO_BUY] = {"buy", API_CREATE_DTS_INSTANCE, 0, IMPACT_PAYS},
	[DO_CONFIGURE] = {"configure", API_CONFIGURE_DTS_JOB, UNSTARTED, 0},
	[DO_CONFIGURE_FREE] = {"configure (free)", API_CONFIGURE_DTS_JOB, 0, 0},
	[DO_PRECHECK] = {"precheck", API_START_DTS_JOB, 0, 0},
	[DO_BUY_JOB] = {"buy", API_CREATE_DTS_INSTANCE, 0, IMPACT_PAYS},
	[DO_WAIT_CREATED] = {"wait", API_NONE, 0, 0},
	[DO_PARAMS] = {"set parameters", API_MODIFY_DTS_JOB_CONFIG, RUNNING, IMPACT_ONLINE},
	[DO_RENAME] = {"rename", API_MODIFY_DTS_JOB_NAME, 0, IMPACT_ONLINE},
	[DO_PASSWORD_SRC] = {"change source password", API_MODIFY_DTS_JOB_PASSWORD, 0,
                             IMPACT_ONLINE},
	[DO_PASSWORD_DEST] = {"change destination password", API_MODIFY_DTS_JOB_PASSWORD, 0,
                              IMPACT_ONLINE},
	[DO_CLASS] = {"change class", API_TRANSFER_INSTANCE_CLASS, ST_BIT(ST_SYNCHRONIZING),
                      IMPACT_ONLINE | IMPACT_PAYS},
	[DO_PAYTYPE] = {"change payment", API_TRANSFER_PAY_TYPE, 0, IMPACT_ONLINE | IMPACT_PAYS},
	[DO_TWOWAY] = {"make two-way", API_UPGRADE_TWO_WAY, ST_BIT(ST_SYNCHRONIZING),
                       IMPACT_ONLINE | IMPACT_PAYS},
	[DO_CLUSTER] = {"move to cluster", API_MODIFY_DTS_JOB_DEDICATED_CLUSTER, 0, IMPACT_PAUSE},
	[DO_GROUP] = {"move to resource group", API_CONVERT_RESOURCE_GROUP, 0, IMPACT_ONLINE},
	[DO_TAGS] = {"set tags", API_TAG_RESOURCES, 0, IMPACT_ONLINE},
	[DO_UNTAG] = {"remove tags", API_UNTAG_RESOURCES, 0, IMPACT_ONLINE},
	[DO_OBJECTS] = {"change objects", API_MODIFY_DTS_JOB, SETTLED, IMPACT_ONLINE},
	[DO_RESERVED] = {"change reserve", API_MODIFY_DTS_JOB, SETTLED, IMPACT_ONLINE},
	[DO_ENDPOINT_SRC] = {"move source endpoint", API_MODIFY_DTS_JOB_ENDPOINT,
                             ST_BIT(ST_SYNCHRONIZING), IMPACT_OFFSET},
	[DO_ENDPOINT_DEST] = {"move destination endpoint", API_MODIFY_DTS_JOB_ENDPOINT,
                              ST_BIT(ST_SYNCHRONIZING), IMPACT_OFFSET},
	[DO_DELAY_RULE] = {"set delay alarm", API_CREATE_JOB_MONITOR_RULE, 0, IMPACT_ONLINE},
	[DO_ERROR_RULE] = {"set error alarm", API_CREATE_JOB_MONITOR_RULE, 0, IMPACT_ONLINE},
	[DO_START] = {"start", API_START_DTS_JOBS, STARTABLE, IMPACT_ONLINE},
	[DO_SUSPEND] = {"suspend", API_SUSPEND_DTS_JOBS, RUNNING, IMPACT_PAUSE},
	[DO_RESET] = {"reset", API_RESET_DTS_JOB, RESETTABLE, IMPACT_REPLACE | IMPACT_RESYNC},
	[DO_VERIFY] = {"verify", API_NONE, 0, 0},
	[DO_DELETE] = {"delete", API_DELETE_DTS_JOBS, 0, IMPACT_STOPS_PAYING},
	[DO_WAIT_GONE] = {"wait for release", API_NONE, 0, 0},
};

const struct step_def *step_def(enum step s)
{
	if (s >= STEP__COUNT)
		BUG("step %d", (int)s);
	return &steps[s];
}

enum step route_step(enum route r, bool source)
{
	switch (r) {
	case ROUTE_NAME:
		return DO_RENAME;
	case ROUTE_PASSWORD:
		return source ? DO_PASSWORD_SRC : DO_PASSWORD_DEST;
	case ROUTE_OBJECTS:
		return DO_OBJECTS;
	case ROUTE_RESERVED:
		return DO_RESERVED;
	case ROUTE_PARAMS:
		return DO_PARAMS;
	case ROUTE_CLASS:
		return DO_CLASS;
	case ROUTE_DELAY:
		return DO_DELAY_RULE;
	case ROUTE_ERROR:
		return DO_ERROR_RULE;
	case ROUTE_ENDPOINT:
		return source ? DO_ENDPOINT_SRC : DO_ENDPOINT_DEST;
	case ROUTE_PAYTYPE:
		return DO_PAYTYPE;
	case ROUTE_TWOWAY:
		return DO_TWOWAY;
	case ROUTE_CLUSTER:
		return DO_CLUSTER;
	case ROUTE_GROUP:
		return DO_GROUP;
	case ROUTE_TAGS:
		return DO_TAGS;
	case ROUTE_STATUS: /* the direction decides: DO_START or DO_SUSPEND, see plan_steps.c */
	case ROUTE_REPLACE:
	case ROUTE_NONE:
	case ROUTE__COUNT:
		break;
	}
	return STEP_NONE;
}
