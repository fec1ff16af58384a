/*
 * Adoption: our lineage as a tag on an instance that a lost purchase of ours
 * bought. Whose tag is there already keeps it. Two states that find the same
 * instance at the same time overwrite each other's tag, so it is read back
 * after a moment: the one whose tag is not there any more gives way.
 */
#include "base/json.h"
#include "base/sys.h"
#include "base/text.h"
#include "run/run_internal.h"

#define READ_BACK_MS 2000

static const char *lineage_of(const struct dts_reply *reply)
{
	const struct json *list = json_path(reply->root, "TagResources.TagResource");

	for (const struct json *m = list ? list->child : NULL; m; m = m->next)
		if (text_eq(json_str(m, "TagKey"), LINEAGE_TAG))
			return json_str(m, "TagValue");
	return NULL;
}

static void adoption_end(struct adoption *ad, enum adopted res, const struct dts_reply *reply)
{
	if (res == ADOPT_TAKEN)
		*VEC_PUSH(&ad->r->a, &ad->r->given_up) = arena_strdup(&ad->r->a, ad->instance_id);
	ad->done(ad, res, reply);
}

static void read_tags(struct adoption *ad, call_done done)
{
	struct call *c = call_new(ad->r, API_LIST_TAG_RESOURCES, done, ad);

	dts_encode_tags(&c->req, &c->a, ad->region, &ad->instance_id, 1, NULL);
	call_start(c);
}

static void checked(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct adoption *ad = c->owner;
	bool ours = v == VERDICT_OK && text_eq(lineage_of(reply), state_lineage(ad->r->o.state));

	adoption_end(ad, v != VERDICT_OK ? ADOPT_FAILED : ours ? ADOPT_OURS : ADOPT_TAKEN, reply);
}

static void read_back(struct timer *timer)
{
	read_tags(timer->arg, checked);
}

static void tagged(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct adoption *ad = c->owner;

	call_outcome(c, v == VERDICT_OK ? OUTCOME_DONE : OUTCOME_FAILED, NULL);
	if (v != VERDICT_OK && v != VERDICT_LOOK) {
		adoption_end(ad, ADOPT_FAILED, reply);
		return;
	}
	ad->timer = (struct timer){.fire = read_back, .arg = ad};
	timer_set(&ad->r->timers, &ad->timer,
	          sys_now_ms() + (int64_t)(READ_BACK_MS * ad->r->o.poll_scale));
}

static void looked(struct call *c, const struct dts_reply *reply, enum verdict v)
{
	struct adoption *ad = c->owner;
	const char *whose = v == VERDICT_OK ? lineage_of(reply) : NULL;
	struct call *tag;

	if (v != VERDICT_OK) {
		adoption_end(ad, ADOPT_FAILED, reply);
		return;
	}
	if (whose && !text_eq(whose, state_lineage(ad->r->o.state))) {
		adoption_end(ad, ADOPT_TAKEN, reply);
		return;
	}
	tag = call_new(ad->r, API_TAG_RESOURCES, tagged, ad);
	dts_encode_tag(&tag->req, &tag->a, ad->region, ad->instance_id, LINEAGE_TAG,
	               state_lineage(ad->r->o.state));
	tag->address = ad->address;
	call_start(tag);
}

void adoption_start(struct adoption *ad)
{
	read_tags(ad, looked);
}
