/* Conditions of dts-api.md 11.1 for an instance section, and those of any purchase. */
#include "model/types/check.h"

static void check_duration(const struct resource *r, struct diag *d)
{
	const char *unit = res_get(r, "payment_duration_unit"),
		   *text = res_get(r, "payment_duration");
	int64_t n;

	if (!text_ieq(unit, "Year") || !text_int(text ? text : "", 0, INT64_MAX, &n))
		return;
	if (n == 4 || n > 5)
		diag_error(d, where(r, "payment_duration"), NULL,
		           "%s: payment_duration: years can be bought by 1, 2, 3 or 5", r->address);
}

void check_payment(const struct resource *r, struct diag *d)
{
	static const char *const keys[] = {"payment_duration", "payment_duration_unit"};

	for (size_t i = 0; i < 2; i++) {
		if (is(r, "payment_type", "Subscription") && !has(r, keys[i]))
			diag_error(d, r->pos, NULL,
			           "%s: %s is missing: payment_type = Subscription needs it",
			           r->address, keys[i]);
		else if (is(r, "payment_type", "PayAsYouGo") && has(r, keys[i]))
			diag_warn(d, where(r, keys[i]), NULL,
			          "%s: %s has no effect with payment_type = PayAsYouGo", r->address,
			          keys[i]);
	}
	check_duration(r, d);
	if (has(r, "database_count") && res_get(r, "source_endpoint_engine_name") &&
	    !engine_same(res_get(r, "source_endpoint_engine_name"), "DRDS"))
		diag_warn(d, where(r, "database_count"), NULL,
		          "%s: database_count has a meaning for a DRDS source only", r->address);
}

void check_instance(const struct batch *b, const struct resource *r, struct diag *d)
{
	const char *region = res_get(r, "destination_endpoint_region");

	(void)b;
	check_payment(r, d);
	/* dts-api.md 2: a synchronization instance lives where its destination is. */
	if (region && r->region && !text_eq(region, r->region))
		diag_error(d, where(r, "destination_endpoint_region"), NULL,
		           "%s: destination_endpoint_region is %s, but the region of the instance "
		           "is %s; they must be equal",
		           r->address, region, r->region);
}
