#include "batch.h"

/* Longer than lists lag (SERVICE_LAG in lab.c), shorter than patience. */
#define HEAD "[dtsbatch]\nregion = cn-hangzhou\nsettle = 300ms\n"
#define PAYG "payment_type = PayAsYouGo\n"
#define SMALL "instance_class = small\n"
#define INSTANCEX(name, more)                                                                      \
	"[synchronization_instance." name "]\n"                                                    \
	"source_endpoint_engine_name = MySQL\nsource_endpoint_region = ${region}\n"                \
	"destination_endpoint_engine_name = MySQL\ndestination_endpoint_region = ${region}\n" more
#define INSTANCE(name, more) INSTANCEX(name, PAYG SMALL more)
/* full: is there a first copy? */
#define JOBX(name, of, jobname, table, from, to, password, full, status, more)                            \
	"[synchronization_job." name "]\n"                                                                \
	"dts_instance_id = ${synchronization_instance." of ".id}\ndts_job_name = " jobname "\n"           \
	"source_endpoint_instance_type = RDS\nsource_endpoint_instance_id = " from "\n"                   \
	"source_endpoint_engine_name = MySQL\nsource_endpoint_region = ${region}\n"                       \
	"source_endpoint_user_name = sync\nsource_endpoint_password = ${env:" password "}\n"              \
	"destination_endpoint_instance_type = RDS\ndestination_endpoint_instance_id = " to "\n"           \
	"destination_endpoint_engine_name = MySQL\ndestination_endpoint_region = ${region}\n"             \
	"destination_endpoint_user_name = sync\ndestination_endpoint_password = ${env:TARGET_PASSWORD}\n" \
	"structure_initialization = " full "\ndata_initialization = " full "\n"                           \
	"data_synchronization = true\nstatus = " status "\n"                                              \
	"db_list = {\"shop\": {\"name\": \"shop\", \"all\": false, \"Table\": {\"" table                  \
	"\": {\"name\": \"" table "\", \"all\": true}}}}\n" more
#define SOURCE "rm-source01"
#define TARGET "rm-target01"
#define JOBS(name, status, more)                                                                   \
	JOBX(name, name, name, "t1", SOURCE, TARGET, "SOURCE_PASSWORD", "true", status, more)
#define JOB(name, more) JOBS(name, "Synchronizing", more)
#define RESERVE(mode) "reserve = {\"targetTableMode\": \"" mode "\"}\n"
#define PARAMETERS                                                                                 \
	"job_parameters = [{\"module\": \"07\", \"name\": \"sink.batch.size.maximum\", \"value\": \"64\"}]\n"
#define ALARM(seconds) "delay_notice = true\ndelay_rule_time = " seconds "\n"
#define LABEL(label) "replace = allowed\ndts_bis_label = " label "\n"
#define PAIR(name) INSTANCE(name, "") JOB(name, "")

/*
 * a: tags, name, objects, reserve. b, q: replaced. c: deleted with its instance. d: an instance alone. g: resource group,
 * parameters. k, l: class, k: alarm, l: password. n: endpoint and its account. p: payment. s: suspended. t: becomes two-way, r is its
 * reverse job. u: started. e, f, h, i: bought.
 */
const char batch_before[] = HEAD INSTANCE("a", "tags = team=a, old=1\n") JOB("a", RESERVE("0"))
	INSTANCE("b", "") JOB("b", LABEL("normal")) PAIR("c") INSTANCE("d", "") PAIR("g")
		INSTANCE("k", "") JOB("k", ALARM("30")) PAIR("l") INSTANCE("n", "") JOB("n", "")
			PAIR("p") INSTANCE("q", "") JOB("q", LABEL("normal")) PAIR("s")
				INSTANCE("t", "") JOB("t", "") INSTANCE("u", "")
					JOBS("u", "Suspending", "");

#define AFTER(payment)                                                                             \
	HEAD INSTANCE("a", "tags = team=b, new=1\n") JOBX(                                         \
		"a", "a", "a-renamed", "t2", SOURCE, TARGET, "SOURCE_PASSWORD", "true",            \
		"Synchronizing",                                                                   \
		RESERVE("2")) INSTANCE("b", "") JOB("b", LABEL("online")) INSTANCE("d", "")        \
		INSTANCE("g", "resource_group_id = rg-other\n") JOB("g", PARAMETERS) INSTANCEX(    \
			"k", PAYG "instance_class = medium\n") JOB("k", ALARM("60"))               \
			INSTANCEX("l", PAYG "instance_class = large\n") JOBX(                      \
				"l", "l", "l", "t1", SOURCE, TARGET, "NEW_PASSWORD", "true",       \
				"Synchronizing", "") INSTANCE("n", "")                             \
				JOBX("n", "n", "n", "t1", "rm-source02", TARGET, "NEW_PASSWORD",   \
	                             "true", "Synchronizing", "endpoint_change = same-data\n")     \
					INSTANCEX("p", payment SMALL) JOB("p", "")                 \
						INSTANCE("q", "") JOB("q", LABEL("online"))        \
							INSTANCE("s", "")                          \
								JOBS("s", "Suspending", "") AFTER2
#define AFTER2                                                                                     \
	INSTANCE("t", "sync_architecture = bidirectional\n")                                       \
	JOB("t", "synchronization_direction = Forward\n")                                          \
	JOBX("r", "t", "r", "t1", TARGET, SOURCE, "SOURCE_PASSWORD", "false", "Synchronizing",     \
	     "synchronization_direction = Reverse\n")                                              \
	PAIR("u") PAIR("e") PAIR("f") PAIR("h") PAIR("i")

const char batch_after[] = AFTER("payment_type = Subscription\npayment_duration_unit = Month\n"
                                 "payment_duration = 1\n");
const char batch_destroyable[] = AFTER(PAYG);

const char second_before[] = HEAD PAIR("x") INSTANCE("w", "");
const char second_after[] = HEAD PAIR("x") PAIR("y") PAIR("z") INSTANCE("w", "");

#define I(name) "synchronization_instance." name
#define J(name) "synchronization_job." name
#define IJ(name) I(name), J(name)
#define WANT(instances, ...)                                                                       \
	{                                                                                          \
		{__VA_ARGS__, NULL}, instances                                                     \
	}

const struct wanted want_before =
	WANT(13, IJ("a"), IJ("b"), IJ("c"), I("d"), IJ("g"), IJ("k"), IJ("l"), IJ("n"), IJ("p"),
             IJ("q"), IJ("s"), IJ("t"), IJ("u"));
const struct wanted want_after =
	WANT(16, IJ("a"), IJ("b"), I("d"), IJ("g"), IJ("k"), IJ("l"), IJ("n"), IJ("p"), IJ("q"),
             IJ("s"), IJ("t"), J("r"), IJ("u"), IJ("e"), IJ("f"), IJ("h"), IJ("i"));
const struct wanted want_second_before = WANT(2, IJ("x"), I("w"));
const struct wanted want_second_after = WANT(4, IJ("x"), IJ("y"), IJ("z"), I("w"));
