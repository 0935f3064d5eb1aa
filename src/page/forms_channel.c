/* SPDX-License-Identifier: ISC
 *
 * The forms about channels and changes, as forms.c has the others.
 */
#include "page/change_ops.h"

#define CHANNEL "/channels/{product}/{channel}"
#define CHANGE	"/changes/{change}"

#define CHANGE_FORM(deed, body, code)                                                              \
	{                                                                                          \
		.path = CHANGE deed, .page = CHANGE, .show = show_change, .api_method = "POST",    \
		.api_path = CHANGE deed, .fields = body, .flash = code, .then = CHANGE             \
	}

static const FormRoute forms[] = {
	{.path = CHANNEL "/shut-off",
		.page = CHANNEL "/shut-off",
		.show = show_channel_switch,
		.api_method = "POST",
		.api_path = "/edits",
		.make = shut_off_body,
		.flash = "shut-off",
		.then = CHANNEL},
	{.path = CHANNEL "/switch-on",
		.page = CHANNEL "/switch-on",
		.show = show_channel_switch,
		.api_method = "POST",
		.api_path = "/edits",
		.make = switch_on_body,
		.flash = "switch-on",
		.then = CHANNEL},
	{.path = "/changes/check",
		.page = "/changes/new",
		.show = show_change_new,
		.api_method = "POST",
		.api_path = "/changes/check",
		.make = change_body},
	{.path = "/changes",
		.page = "/changes/new",
		.show = show_change_new,
		.api_method = "POST",
		.api_path = "/changes",
		.make = change_body,
		.flash = "change-submit",
		.then = "/changes/{id}"},
	{.path = CHANGE "/move",
		.page = CHANGE,
		.show = show_change,
		.api_method = "PUT",
		.api_path = CHANGE,
		.fields = "data_version:i when:w",
		.flash = "change-move",
		.then = CHANGE},
	{.path = CHANGE "/edit",
		.page = CHANGE,
		.show = show_change,
		.api_method = "PUT",
		.api_path = CHANGE,
		.fields = "data_version:i title ops:j reason",
		.flash = "change-edit",
		.then = CHANGE},
	CHANGE_FORM("/sign", "role digest", "change-sign"),
	CHANGE_FORM("/revoke", "role", "change-revoke"),
	CHANGE_FORM("/tested", "role digest", "change-tested"),
	CHANGE_FORM("/withdraw", "reason data_version:i", "change-withdraw"),
	CHANGE_FORM("/override", "gate reason", "change-override"),
	CHANGE_FORM("/go", "reason", "change-go"),
	CHANGE_FORM("/review", "reason", "change-review"),
	{.path = CHANGE "/break-glass",
		.page = CHANGE "/break-glass",
		.show = show_change_break_glass,
		.api_method = "POST",
		.api_path = CHANGE "/break-glass",
		.fields = "reason",
		.flash = "change-break-glass",
		.then = CHANGE},
};

const FormRoute *form_find_channel(Visit *visit, const char *path)
{
	for (gsize index = 0; index < G_N_ELEMENTS(forms); index++)
		if (visit_matches(forms[index].path, path, visit->parameters))
			return &forms[index];
	return form_find_node(visit, path);
}
