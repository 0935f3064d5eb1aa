/* SPDX-License-Identifier: ISC
 *
 * Any bytes as what people type for the channel stage: a time, a column of a rule, a change in a
 * file. Refused in words, or read, and then it can be shown.
 */
#include "base/format.h"
#include "programs/drover/change.h"
#include "programs/drover/row_words.h"
#include "programs/drover/when.h"

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes);

/* A refusal is an input error that can be shown. */
static void check_refusal(gboolean read, GError *error)
{
	g_assert(read == (error == NULL));
	if (error == NULL)
		return;
	g_assert(error->domain == DROVER_ERROR && error->code == DROVER_ERROR_INPUT);
	g_assert(g_utf8_validate(error->message, -1, NULL));
	g_error_free(error);
}

static void check_when(const char *text)
{
	const gint64 now_us = G_GINT64_CONSTANT(1795257000000000); /* 2026-11-21 10:30 */
	GError *error = NULL;
	gint64 again_us;
	g_autofree char *when = when_text(text, now_us, &error);
	check_refusal(when != NULL, error);
	g_assert(when == NULL || parse_time(when, &again_us, NULL));
}

static void check_word(const char *text)
{
	GError *error = NULL;
	g_autoptr(json_t) patch = json_object();
	gboolean read = row_rule_word(patch, NULL, text, &error);
	check_refusal(read, error);
	g_autofree char *matchers = row_rule_matchers(patch);
	g_autofree char *difference = row_difference(NULL, patch);
	g_assert(g_utf8_validate(matchers, -1, NULL) && g_utf8_validate(difference, -1, NULL));
}

static void check_file(const char *text, gsize size_bytes)
{
	GError *error = NULL;
	g_autoptr(json_t) change = change_file_read("file", text, size_bytes, &error);
	check_refusal(change != NULL, error);
	g_assert(change == NULL || json_array_size(json_object_get(change, "ops")) > 0);
}

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes)
{
	g_autofree char *text = g_strndup((const char *)bytes, size_bytes);
	check_when(text);
	check_word(text);
	check_file(text, size_bytes);
	return 0;
}
