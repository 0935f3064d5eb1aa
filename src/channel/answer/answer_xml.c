/* SPDX-License-Identifier: ISC
 *
 * The answer that clients of Mozilla's kind read: toolkit/mozapps/update knows these attributes and
 * no others. It is written directly, since this is what crowds ask for.
 */
#include "channel/answer/update_answer.h"

#include <string.h>

static const char nothing[] = "<?xml version=\"1.0\"?>\n<updates>\n</updates>\n";

static const char *text_of(const json_t *row, const char *column)
{
	return json_string_value(json_object_get(row, column));
}

typedef enum Letter { LETTER_PLAIN, LETTER_REFERENCE, LETTER_NONE } Letter;

/* Characters that XML has not are left out; blanks but the blank would be read as one. */
static Letter letter_of(char letter)
{
	switch (letter) {
	case '&':
	case '<':
	case '>':
	case '"':
	case '\'':
	case '\t':
	case '\n':
	case '\r':
		return LETTER_REFERENCE;
	default:
		return (guchar)letter >= ' ' && letter != 0x7f ? LETTER_PLAIN : LETTER_NONE;
	}
}

static void add_escaped(GString *xml, const char *text)
{
	while (*text != '\0') {
		const char *end = text;
		while (letter_of(*end) == LETTER_PLAIN)
			end++;
		g_string_append_len(xml, text, end - text);
		if (letter_of(*end) == LETTER_REFERENCE)
			g_string_append_printf(xml, "&#%d;", *end);
		text = *end == '\0' ? end : end + 1;
	}
}

static void add_text(GString *xml, const char *name, const char *text)
{
	if (text == NULL)
		return;
	g_string_append_c(xml, ' ');
	g_string_append(xml, name);
	g_string_append_len(xml, "=\"", 2);
	add_escaped(xml, text);
	g_string_append_c(xml, '"');
}

static void add_value(GString *xml, const char *name, const json_t *value)
{
	if (json_is_string(value))
		add_text(xml, name, json_string_value(value));
	else if (json_is_boolean(value))
		add_text(xml, name, json_is_true(value) ? "true" : "false");
	else if (json_is_integer(value))
		g_string_append_printf(
			xml, " %s=\"%" JSON_INTEGER_FORMAT "\"", name, json_integer_value(value));
}

/* %LOCALE% in it is the client's. */
static void add_details(GString *xml, const UpdateAnswer *answer)
{
	const char *url = text_of(answer->offer.release->row, "details_url");
	const char *locale = answer->asked->query.locale;
	if (url == NULL)
		return;
	g_autoptr(GString) filled = g_string_new(url);
	if (locale != NULL)
		g_string_replace(filled, "%LOCALE%", locale, 0);
	add_text(xml, "detailsURL", filled->str);
}

static const char *update_type(const UpdateAnswer *answer)
{
	const char *of_rule = text_of(answer->decided.rule->row, "update_type");
	const char *of_release = text_of(answer->offer.release->row, "update_type");
	return of_rule != NULL ? of_rule : of_release != NULL ? of_release : "minor";
}

static const char *version_text(const Offer *offer, const char *column)
{
	const char *text = offer_text(offer, column);
	return text != NULL ? text : offer_text(offer, "version");
}

static void add_update(GString *xml, const UpdateAnswer *answer)
{
	static const struct {
		const char *column, *attribute;
	} extras[] = {
		{"open_url", "openURL"},
		{"notification_url", "notificationURL"},
		{"alert_url", "alertURL"},
		{"actions", "actions"},
		{"show_prompt", "showPrompt"},
		{"show_never_for_version", "showNeverForVersion"},
		{"prompt_wait_time", "promptWaitTime"},
		{"background_interval", "backgroundInterval"},
	};
	const Offer *offer = &answer->offer;
	g_string_append(xml, "    <update");
	add_text(xml, "type", update_type(answer));
	add_text(xml, "displayVersion", version_text(offer, "display_version"));
	add_text(xml, "appVersion", version_text(offer, "app_version"));
	add_text(xml, "platformVersion", offer_text(offer, "platform_version"));
	add_text(xml, "buildID", offer_text(offer, "build_id"));
	add_details(xml, answer);
	for (gsize i = 0; i < G_N_ELEMENTS(extras); i++)
		add_value(xml, extras[i].attribute,
			json_object_get(offer->release->row, extras[i].column));
	g_string_append(xml, ">\n");
}

static void add_patch(GString *xml, const char *type, const OfferedFile *file)
{
	if (file->url == NULL)
		return;
	const char *sha512 = text_of(file->row, "sha512");
	g_string_append(xml, "        <patch");
	add_text(xml, "type", type);
	add_text(xml, "URL", file->url);
	add_text(xml, "hashFunction", sha512 != NULL ? "sha512" : "sha256");
	add_text(xml, "hashValue", sha512 != NULL ? sha512 : text_of(file->row, "sha256"));
	add_value(xml, "size", json_object_get(file->row, "size"));
	g_string_append(xml, "/>\n");
}

char *update_answer_xml(const UpdateAnswer *answer)
{
	const Offer *offer = &answer->offer;
	if (answer->outcome != UPDATE_OFFERED ||
		(offer->complete.url == NULL && offer->partial.url == NULL))
		return g_strdup(nothing);
	GString *xml = g_string_sized_new(1024);
	g_string_append(xml, "<?xml version=\"1.0\"?>\n<updates>\n");
	add_update(xml, answer);
	add_patch(xml, "complete", &offer->complete);
	add_patch(xml, "partial", &offer->partial);
	g_string_append(xml, "    </update>\n</updates>\n");
	return g_string_free(xml, FALSE);
}
