/* SPDX-License-Identifier: ISC
 *
 * The pool once more, plainly.
 */
#include "model.h"

#define BIT(server) (1U << (server))

static guint size(Set set)
{
	return (guint)__builtin_popcount(set);
}

static gboolean enough(const Model *model, Set set)
{
	return size(set) * 100 >= size(model->listed) * model->percent;
}

static Set healthy(const Model *model)
{
	return model->listed & model->up & model->ready & model->enabled;
}

static Set counting(const Model *model)
{
	return healthy(model) & ~model->draining & ~model->reserved;
}

static Set may_serve(const Model *model)
{
	return model->listed & model->enabled & model->ready & ~model->draining;
}

gboolean model_can_depool(const Model *model)
{
	return enough(model, counting(model));
}

/* The newest of a set of drains. */
static int newest(const Model *model, Set set)
{
	int found = -1;
	for (int i = 0; i < MODEL_SERVERS; i++)
		if ((set & BIT(i)) && (found < 0 || model->drains[i] > model->drains[found]))
			found = i;
	return found;
}

static void revoke_drains(Model *model)
{
	while (!model_can_depool(model)) {
		Set candidates = healthy(model) & ~model->forced;
		int server = newest(model, candidates & model->reserved);
		if (server < 0)
			server = newest(model, candidates & model->draining);
		if (server < 0)
			return;
		model->reserved &= ~BIT(server);
		model->draining &= ~BIT(server);
		model->pooled |= BIT(server);
		model->revoked |= BIT(server);
	}
}

static void maintain(Model *model)
{
	Set maintained = may_serve(model) & model->maintenance;
	model->pooled &= ~maintained;
	if ((model->pooled & model->up) == 0)
		model->pooled |= maintained;
}

static void leave(Model *model, Set set)
{
	model->pooled &= ~set;
	model->held &= ~set;
}

/* A list, and what is treated as one. */
static void obey(Model *model, gboolean fill)
{
	leave(model, ~may_serve(model));
	model->pooled |= may_serve(model) & model->up;
	model->held &= ~model->up;
	revoke_drains(model);
	Set sure = counting(model);
	if (model->monitors > 0)
		sure &= model->checked;
	if (enough(model, sure))
		leave(model, model->held);
	maintain(model);
	for (int i = 0; fill && i < MODEL_SERVERS; i++) {
		Set one = BIT(i) & may_serve(model) & ~model->up & ~model->maintenance &
			  ~model->pooled & (model->failed | model->checked);
		if (one == 0 || enough(model, model->pooled))
			continue;
		model->pooled |= one;
		model->held |= one;
	}
}

static void forget(Model *model, int server)
{
	Set *const sets[] = {&model->listed, &model->enabled, &model->ready, &model->up,
		&model->maintenance, &model->checked, &model->failed, &model->reserved,
		&model->draining, &model->forced, &model->pooled, &model->held};
	for (gsize i = 0; i < G_N_ELEMENTS(sets); i++)
		*sets[i] &= ~BIT(server);
	for (int m = 0; m < MODEL_MONITORS; m++) {
		model->good[server][m] = model->bad[server][m] = 0;
		model->word[server][m] = '?';
	}
}

void model_list(Model *model, const ModelEntry entries[MODEL_SERVERS])
{
	model->revoked = 0;
	for (int i = 0; i < MODEL_SERVERS; i++) {
		if (!entries[i].listed) {
			forget(model, i);
			continue;
		}
		if (!(model->listed & BIT(i))) {
			forget(model, i);
			model->listed |= BIT(i);
			model->enabled |= BIT(i);
			model->weight[i] = 10;
			if (!model->pessimistic || model->monitors == 0)
				model->up |= BIT(i);
		}
		if (entries[i].ready)
			model->ready |= BIT(i);
		if (entries[i].enabled == 1)
			model->enabled |= BIT(i);
		if (entries[i].enabled == 0)
			model->enabled &= ~BIT(i);
		if (entries[i].weight >= 0)
			model->weight[i] = (guint)entries[i].weight;
	}
	obey(model, TRUE);
}

/* What the monitors' words make of a server. */
static void judge(Model *model, int server)
{
	guint down = 0, maintained = 0, good = 0;
	for (guint m = 0; m < model->monitors; m++) {
		char word = model->word[server][m];
		down += word == 'd' ? 1 : 0;
		maintained += word == 'm' ? 1 : 0;
		good += word == 'u' && model->good[server][m] > 0 ? 1 : 0;
	}
	if (down + maintained > 0) {
		model->up &= ~BIT(server);
		model->failed |= BIT(server);
	} else if (good == model->monitors) {
		model->up |= BIT(server);
	}
	model->maintenance &= ~BIT(server);
	if (down == 0 && maintained > 0)
		model->maintenance |= BIT(server);
}

void model_result(Model *model, int server, guint monitor, char word)
{
	model->revoked = 0;
	if (!(model->listed & model->ready & BIT(server)))
		return;
	int *good = &model->good[server][monitor], *bad = &model->bad[server][monitor];
	*good = word == 'u' ? *good + 1 : 0;
	*bad = word == 'd' ? *bad + 1 : 0;
	if (word == 'u')
		model->checked |= BIT(server);
	if (word == 'm' || *good >= (int)model->rise || *bad >= (int)model->fall)
		model->word[server][monitor] = word;
	judge(model, server);

	Set one = BIT(server) & may_serve(model);
	if (one & model->up) {
		model->pooled |= one;
		model->held &= ~one;
	} else if (one & model->maintenance) {
		model->held &= ~one;
	}
	revoke_drains(model);
	Set gone = model->held;
	if ((one & model->pooled) && !(one & model->up) && !(one & model->maintenance))
		gone |= one;
	if (model_can_depool(model))
		leave(model, gone);
	else
		model->held |= gone;
	maintain(model);
}

void model_resolve(Model *model, int server)
{
	model->revoked = 0;
	if (!(model->listed & BIT(server)) || (model->ready & BIT(server)))
		return;
	model->ready |= BIT(server);
	obey(model, TRUE);
}

gboolean model_drain(Model *model, int server, gboolean only_reserve, gboolean forced)
{
	Set one = BIT(server);
	model->revoked = 0;
	if (!(model->listed & one))
		return FALSE;
	if (!((model->reserved | model->draining) & one)) {
		if (!forced && !enough(model, counting(model) & ~one))
			return FALSE;
		model->drains[server] = ++model->drain_count;
	}
	if (forced)
		model->forced |= one;
	if (only_reserve && ((model->reserved | model->draining) & one))
		return TRUE;
	if (model->draining & one)
		return TRUE;
	model->reserved = only_reserve ? model->reserved | one : model->reserved & ~one;
	if (!only_reserve)
		model->draining |= one;
	obey(model, FALSE);
	return TRUE;
}

void model_undrain(Model *model, int server)
{
	model->revoked = 0;
	if (!((model->reserved | model->draining) & BIT(server)))
		return;
	model->reserved &= ~BIT(server);
	model->draining &= ~BIT(server);
	model->forced &= ~BIT(server);
	obey(model, TRUE);
}

void model_policy(Model *model, guint percent, guint rise, guint fall)
{
	model->revoked = 0;
	model->percent = percent;
	model->rise = rise;
	model->fall = fall;
	for (int i = 0; i < MODEL_SERVERS; i++)
		if (model->listed & BIT(i))
			judge(model, i);
	obey(model, TRUE);
}
