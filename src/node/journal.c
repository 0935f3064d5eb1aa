/* SPDX-License-Identifier: ISC
 *
 * The journal's text: JSON, replaced whole. What is read is taken as hostile all the same: a disk
 * that lied is found out here and not in the middle of an installation.
 */
#include <string.h>

#include "base/format.h"
#include "node/place_parts.h"

enum { JOURNAL_FORMAT = 1 };

static const char *const kinds[] = {"none", "install", "activate", "remove"};
static const char *const steps[] = {
	"before-switch", "switched", "restarted", "healthy", "back", NULL};

/* writing -------------------------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
	return text != NULL ? json_string(text) : json_null();
}

static json_t *time_or_null(gint64 time_us)
{
	g_autofree char *text = time_us != 0 ? format_time(time_us) : NULL;
	return text_or_null(text);
}

static json_t *write_installed(const Installed *installed)
{
	return json_pack("{s:s, s:I, s:I, s:s, s:o, s:o}", "version", installed->version,
		"sequence", (json_int_t)installed->sequence, "min_rollback_sequence",
		(json_int_t)installed->min_rollback_sequence, "manifest_sha256",
		installed->manifest_sha256, "installed", time_or_null(installed->installed_us),
		"ran", time_or_null(installed->ran_us));
}

static json_t *write_intent(const Intent *intent)
{
	if (intent->kind == INTENT_NONE)
		return json_null();
	return json_pack("{s:s, s:s, s:o, s:o, s:o}", "kind", kinds[intent->kind], "version",
		intent->version, "previous", text_or_null(intent->previous), "step",
		text_or_null(intent->step), "begun", time_or_null(intent->begun_us));
}

static json_t *write_revoked(const GArray *revoked)
{
	json_t *list = json_array();
	for (guint i = 0; i < revoked->len; i++) {
		char id[KEY_ID_TEXT];
		key_id_text(&g_array_index(revoked, KeyId, i), id);
		json_array_append_new(list, json_string(id));
	}
	return list;
}

static json_t *write_all_installed(const GPtrArray *installed)
{
	json_t *list = json_array();
	for (guint i = 0; i < installed->len; i++)
		json_array_append_new(list, write_installed(installed->pdata[i]));
	return list;
}

char *journal_text(const Place *place)
{
	json_t *journal = json_pack("{s:i, s:o, s:o, s:o, s:{s:o, s:I, s:s}, s:I, s:I, s:o}",
		"format", JOURNAL_FORMAT, "intent", write_intent(&place->intent), "previous",
		text_or_null(place->previous), "installed", write_all_installed(place->installed),
		"seen", "issued", time_or_null(place->seen.issued_us), "newest",
		(json_int_t)place->seen.newest, "sha256", place->seen.sha256, "floor",
		(json_int_t)place->floor, "trust_serial", (json_int_t)place->trust_serial,
		"revoked", write_revoked(place->revoked));
	char *dumped = json_dumps(journal, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
	char *text = g_strconcat(dumped, "\n", NULL);
	free(dumped);
	json_decref(journal);
	return text;
}

/* reading: the first mistake sticks ------------------------------------------------------------ */

typedef struct Reader {
	const char *mistake; /* NULL: none */
} Reader;

static void say(Reader *reader, const char *mistake)
{
	if (reader->mistake == NULL)
		reader->mistake = mistake;
}

static gint64 read_number(Reader *reader, const json_t *from, const char *key)
{
	const json_t *value = json_object_get(from, key);
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		json_integer_value(value) > MANIFEST_MAXIMUM_NUMBER) {
		say(reader, key);
		return 0;
	}
	return json_integer_value(value);
}

/* NULL for null. Borrowed. */
static const char *read_text(Reader *reader, const json_t *from, const char *key)
{
	const json_t *value = json_object_get(from, key);
	if (!json_is_string(value) && !json_is_null(value))
		say(reader, key);
	/* A NUL within would hide what follows it. */
	if (json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value))
		say(reader, key);
	return json_string_value(value);
}

static gint64 read_time(Reader *reader, const json_t *from, const char *key)
{
	gint64 time_us = 0;
	const char *text = read_text(reader, from, key);
	if (text != NULL && (!parse_time(text, &time_us, NULL) || time_us <= 0))
		say(reader, key);
	return time_us;
}

static char *read_version(Reader *reader, const json_t *from, const char *key, gboolean may_be_null)
{
	const char *text = read_text(reader, from, key);
	if (text == NULL ? !may_be_null : !manifest_check_name("version", text, NULL))
		say(reader, key);
	return g_strdup(text);
}

static void read_digest(Reader *reader, const json_t *from, gboolean may_be_empty, char *sha256)
{
	const char *text = read_text(reader, from, may_be_empty ? "sha256" : "manifest_sha256");
	if (text != NULL && (sha256_is_hex(text) || (may_be_empty && *text == '\0')))
		g_strlcpy(sha256, text, SHA256_HEX);
	else
		say(reader, "a digest");
}

static void read_installed(Reader *reader, const json_t *from, Place *place)
{
	Installed *installed = g_new0(Installed, 1);
	installed->version = read_version(reader, from, "version", FALSE);
	installed->sequence = read_number(reader, from, "sequence");
	installed->min_rollback_sequence = read_number(reader, from, "min_rollback_sequence");
	read_digest(reader, from, FALSE, installed->manifest_sha256);
	installed->installed_us = read_time(reader, from, "installed");
	installed->ran_us = read_time(reader, from, "ran");
	if (installed->version == NULL || place_find(place, installed->version) != NULL) {
		say(reader, "installed");
		installed_free(installed);
		return;
	}
	place_add(place, installed);
}

static void read_all_installed(Reader *reader, const json_t *list, Place *place)
{
	if (!json_is_array(list) || json_array_size(list) > JOURNAL_MAXIMUM_INSTALLED)
		say(reader, "installed");
	for (gsize i = 0; reader->mistake == NULL && i < json_array_size(list); i++)
		read_installed(reader, json_array_get(list, i), place);
}

static void read_revoked(Reader *reader, const json_t *list, GArray *revoked)
{
	if (!json_is_array(list))
		say(reader, "revoked");
	for (gsize i = 0; i < json_array_size(list); i++) {
		KeyId id;
		const char *text = json_string_value(json_array_get(list, i));
		if (text == NULL || !key_id_parse(text, &id, NULL)) {
			say(reader, "revoked");
			return;
		}
		revoked_add(revoked, &id);
	}
}

static void read_intent(Reader *reader, const json_t *from, Intent *intent)
{
	if (json_is_null(from))
		return;
	const char *kind = read_text(reader, from, "kind");
	for (guint i = INTENT_INSTALL; i < G_N_ELEMENTS(kinds); i++)
		if (g_strcmp0(kind, kinds[i]) == 0)
			intent->kind = (IntentKind)i;
	if (intent->kind == INTENT_NONE)
		say(reader, "kind");
	intent->version = read_version(reader, from, "version", FALSE);
	intent->previous = read_version(reader, from, "previous", TRUE);
	intent->step = g_strdup(read_text(reader, from, "step"));
	if (intent->kind == INTENT_ACTIVATE
			? intent->step == NULL || !g_strv_contains(steps, intent->step)
			: intent->step != NULL)
		say(reader, "step");
	intent->begun_us = read_time(reader, from, "begun");
}

static void read_journal(Reader *reader, const json_t *journal, Place *place)
{
	const json_t *seen = json_object_get(journal, "seen");
	if (read_number(reader, journal, "format") != JOURNAL_FORMAT)
		say(reader, "format (one of a newer Drover?)");
	read_intent(reader, json_object_get(journal, "intent"), &place->intent);
	place->previous = read_version(reader, journal, "previous", TRUE);
	read_all_installed(reader, json_object_get(journal, "installed"), place);
	place->seen.issued_us = read_time(reader, seen, "issued");
	place->seen.newest = read_number(reader, seen, "newest");
	read_digest(reader, seen, TRUE, place->seen.sha256);
	place->floor = read_number(reader, journal, "floor");
	place->trust_serial = read_number(reader, journal, "trust_serial");
	read_revoked(reader, json_object_get(journal, "revoked"), place->revoked);
}

gboolean journal_parse(
	Place *place, const char *name, const char *text, gsize size_bytes, GError **error)
{
	if (size_bytes > JOURNAL_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"the journal %s is larger than the %d bytes allowed", name,
			JOURNAL_MAXIMUM_BYTES);
		return FALSE;
	}
	json_error_t fault;
	json_t *journal = json_loadb(text, size_bytes, JSON_REJECT_DUPLICATES, &fault);
	Reader reader = {journal == NULL ? fault.text : NULL};
	if (journal != NULL)
		read_journal(&reader, journal, place);
	json_decref(journal);
	if (reader.mistake == NULL)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the journal %s cannot be read (%s): nothing was touched. Put it back from a "
		"backup, "
		"or move it away: what is installed is then verified and taken again when it is "
		"installed, but which index was seen and how far back releases may go is forgotten",
		name, reader.mistake);
	return FALSE;
}
