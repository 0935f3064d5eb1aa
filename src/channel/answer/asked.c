/* SPDX-License-Identifier: ISC
 *
 * Reading addresses. What a client of Mozilla's kind sends in each version of its path stands in
 * one table; a part without a matcher of its own is a tag. Such clients cannot be taught: what they
 * say beyond that is passed over, where the other two ways refuse it.
 */
#include "channel/answer/asked.h"

#include <stddef.h>
#include <string.h>

#define CLIENT_PREFIX "/update/"
#define NODE_PREFIX   "/update/node/"
#define JSON_PATH     "/update/json"
#define XML_SUFFIX    "/update.xml"

static gboolean refuse(GError **error, const char *what, const char *wanted)
{
	drover_error_set(error, DROVER_ERROR_INPUT, "%s: must be %s", what, wanted);
	return FALSE;
}

static gboolean no_such(GError **error)
{
	drover_error_set(error, DROVER_ERROR_NOT_FOUND,
		"this is no address of updates; they are below /update/1/ to /update/6/, at "
		"/update/json and below /update/node/");
	return FALSE;
}

static gboolean check_text(const char *name, const char *text, GError **error)
{
	gsize size = strlen(text);
	if (!g_utf8_validate(text, (gssize)size, NULL))
		return refuse(error, "what is asked", "UTF-8");
	if (size <= ASKED_MAXIMUM_TEXT_BYTES)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT, "%.80s: must be at most %d bytes", name,
		ASKED_MAXIMUM_TEXT_BYTES);
	return FALSE;
}

static gboolean add_tag(Query *query, const char *name, const char *value)
{
	if (query->tag_count == QUERY_MAXIMUM_TAGS)
		return FALSE;
	query->tags[query->tag_count++] = (QueryTag){name, value};
	return TRUE;
}

/* What a client says ----------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	gsize offset;
} texts[] = {
	{"product", offsetof(Asked, query.product)},
	{"version", offsetof(Asked, version)},
	{"build_id", offsetof(Asked, query.build_id)},
	{"platform", offsetof(Asked, query.platform)},
	{"locale", offsetof(Asked, query.locale)},
	{"channel", offsetof(Asked, query.channel)},
	{"os_version", offsetof(Asked, query.os_version)},
	{"distribution", offsetof(Asked, query.distribution)},
	{"dist_version", offsetof(Asked, query.dist_version)},
	{"arch", offsetof(Asked, query.arch)},
	{"instruction_set", offsetof(Asked, query.instruction_set)},
	{"id", offsetof(Asked, query.id)},
	{"pin", offsetof(Asked, query.pin)},
	{"release", offsetof(Asked, release)},
};

/* FALSE when there is no such text. */
static gboolean set_text(Asked *asked, const char *name, const char *value)
{
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		if (strcmp(name, texts[i].name) != 0)
			continue;
		*(const char **)(gpointer)((char *)asked + texts[i].offset) = value;
		return TRUE;
	}
	return FALSE;
}

static gboolean read_flag(const char *text, QueryFlag *flag)
{
	gboolean is_true = strcmp(text, "1") == 0 || strcmp(text, "true") == 0;
	gboolean is_false = strcmp(text, "0") == 0 || strcmp(text, "false") == 0;
	if (is_true || is_false)
		*flag = is_true ? QUERY_FLAG_TRUE : QUERY_FLAG_FALSE;
	return is_true || is_false;
}

static gboolean read_force(const char *text, QueryForce *force)
{
	if (strcmp(text, "1") == 0)
		*force = QUERY_FORCE_SERVE;
	else if (strcmp(text, "-1") == 0)
		*force = QUERY_FORCE_FALLBACK;
	else
		return FALSE;
	return TRUE;
}

static gboolean read_memory(const char *text, Query *query)
{
	guint64 memory;
	query->has_memory = g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT64, &memory, NULL);
	if (query->has_memory)
		query->memory = (gint64)memory;
	return query->has_memory;
}

/* Parameters ------------------------------------------------------------------------------------
 */

/* What is said with a number or a word of two; *is_one: it is such a parameter. */
static gboolean read_special(
	const char *name, const char *value, Query *query, gboolean *is_one, GError **error)
{
	*is_one = TRUE;
	if (strcmp(name, "force") == 0)
		return read_force(value, &query->force) || refuse(error, name, "1 or -1");
	if (strcmp(name, "mig64") == 0)
		return read_flag(value, &query->mig64) || refuse(error, name, "1 or 0");
	if (strcmp(name, "jaws") == 0)
		return read_flag(value, &query->jaws) || refuse(error, name, "1 or 0");
	if (strcmp(name, "memory") == 0)
		return read_memory(value, query) || refuse(error, name, "a whole number");
	*is_one = FALSE;
	return TRUE;
}

/* Of clients of Mozilla's kind: only what they are known to send there, and never an error. */
static gboolean read_client_parameter(Asked *asked, const char *name, const char *value)
{
	gboolean is_one;
	read_special(name, value, &asked->query, &is_one, NULL);
	if (strcmp(name, "pin") == 0 || strcmp(name, "id") == 0)
		set_text(asked, name, value);
	else if (g_str_has_prefix(name, "tag."))
		add_tag(&asked->query, name + strlen("tag."), value);
	return TRUE;
}

static gboolean read_parameter(Asked *asked, const char *name, const char *value, GError **error)
{
	/* The throttle's draw is ours, and a signature is about the answer. */
	if (strcmp(name, "draw") == 0 || strcmp(name, "sign") == 0)
		return TRUE;
	gboolean is_one;
	if (!read_special(name, value, &asked->query, &is_one, error))
		return FALSE;
	if (is_one || set_text(asked, name, value))
		return TRUE;
	const char *tag = g_str_has_prefix(name, "tag.") ? name + strlen("tag.") : name;
	return add_tag(&asked->query, tag, value) || refuse(error, tag, "one of at most 64 tags");
}

static gboolean read_parameters(Asked *asked, GHashTable *parameters, GError **error)
{
	GHashTableIter iter;
	gpointer name, value;
	if (parameters == NULL)
		return TRUE;
	g_hash_table_iter_init(&iter, parameters);
	while (g_hash_table_iter_next(&iter, &name, &value)) {
		if (!check_text(name, name, error) || !check_text(name, value, error))
			return FALSE;
		if (*(const char *)value == '\0')
			continue; /* as if it were not said */
		if (!(asked->format == ASKED_XML ? read_client_parameter(asked, name, value)
						 : read_parameter(asked, name, value, error)))
			return FALSE;
	}
	return TRUE;
}

/* Paths -----------------------------------------------------------------------------------------
 */

#define EVERY_VERSION "product", "version", "build_id", "platform", "locale", "channel"

/* By version of the path. */
static const char *const parts_of[][12] = {
	[1] = {EVERY_VERSION},
	[2] = {EVERY_VERSION, "os_version"},
	[3] = {EVERY_VERSION, "os_version", "distribution", "dist_version"},
	[4] = {EVERY_VERSION, "os_version", "distribution", "dist_version", "platform_version"},
	[5] = {EVERY_VERSION, "os_version", "distribution", "dist_version", "platform_version",
		"imei"},
	[6] = {EVERY_VERSION, "os_version", "capabilities", "distribution", "dist_version"},
};

/* "ISET:SSE4_2,MEM:8192,JAWS:0"; before that it was "SSE4_2" or "SSE4_2,8192". Who cannot tell says
 * "unknown", "NA" or "error". Cut in place. */
static void read_capabilities(char *text, Asked *asked)
{
	Query *query = &asked->query;
	char *rest = text, *one;
	gboolean is_first = TRUE;
	while ((one = strsep(&rest, ",")) != NULL) {
		char *value = strchr(one, ':');
		if (value != NULL)
			*value++ = '\0';
		const char *name = value != NULL ? one : is_first ? "ISET" : "MEM";
		const char *said = value != NULL ? value : one;
		is_first = FALSE;
		if (strcmp(name, "ISET") == 0)
			query->instruction_set = said;
		else if (strcmp(name, "MEM") == 0)
			read_memory(said, query);
		else if (strcmp(name, "JAWS") == 0)
			read_flag(said, &query->jaws);
		else
			add_tag(query, name, said);
	}
}

static gboolean take_part(Asked *asked, const char *name, char *value, GError **error)
{
	if (!check_text(name, value, error))
		return FALSE;
	if (strcmp(name, "capabilities") == 0)
		read_capabilities(value, asked);
	else if (!set_text(asked, name, value))
		add_tag(&asked->query, name, value);
	return TRUE;
}

/* "V/PRODUCT/…" without the ending, which is in `parts`: as many parts as V has, none empty. */
static gboolean read_client_path(Asked *asked, GError **error)
{
	char *rest = asked->parts, *number = strsep(&rest, "/");
	if (strlen(number) != 1 || *number < '1' || *number > '6')
		return no_such(error);
	for (const char *const *name = parts_of[*number - '0']; *name != NULL; name++) {
		char *value = strsep(&rest, "/");
		if (value == NULL || *value == '\0')
			return no_such(error);
		if (!take_part(asked, *name, value, error))
			return FALSE;
	}
	return rest == NULL || no_such(error);
}

/* "PRODUCT/CHANNEL" */
static gboolean read_node_path(Asked *asked, GError **error)
{
	char *rest = asked->parts, *product = strsep(&rest, "/"), *channel = strsep(&rest, "/");
	if (*product == '\0' || channel == NULL || *channel == '\0' || rest != NULL)
		return no_such(error);
	return take_part(asked, "product", product, error) &&
	       take_part(asked, "channel", channel, error);
}

static gboolean read_path(const char *path, Asked *asked, GError **error)
{
	if (strcmp(path, JSON_PATH) == 0) {
		asked->format = ASKED_JSON;
		return TRUE;
	}
	if (g_str_has_prefix(path, NODE_PREFIX)) {
		asked->format = ASKED_NODE;
		asked->parts = g_strdup(path + strlen(NODE_PREFIX));
		return read_node_path(asked, error);
	}
	if (!g_str_has_prefix(path, CLIENT_PREFIX) || !g_str_has_suffix(path, XML_SUFFIX))
		return no_such(error);
	const char *from = path + strlen(CLIENT_PREFIX);
	gsize size = strlen(path) - strlen(XML_SUFFIX);
	if (path + size < from)
		return no_such(error);
	asked->parts = g_strndup(from, (gsize)(path + size - from));
	return read_client_path(asked, error);
}

/* A release that is one tree for every machine has its files under ANY. */
static void complete_node(Query *query)
{
	if (query->platform == NULL)
		query->platform = ASKED_ANY;
	if (query->locale == NULL)
		query->locale = ASKED_ANY;
}

gboolean asked_read(const char *path, GHashTable *parameters, Asked *asked, GError **error)
{
	*asked = (Asked){.format = ASKED_XML};
	if (strlen(path) > ASKED_MAXIMUM_PATH_BYTES) {
		drover_error_set(error, DROVER_ERROR_INPUT, "the address is longer than %d bytes",
			ASKED_MAXIMUM_PATH_BYTES);
		return FALSE;
	}
	if (!read_path(path, asked, error))
		return FALSE;
	/* What the path says counts: a node's product and channel stand there. */
	const char *product = asked->query.product, *channel = asked->query.channel;
	if (!read_parameters(asked, parameters, error))
		return FALSE;
	if (product != NULL)
		asked->query.product = product;
	if (channel != NULL)
		asked->query.channel = channel;
	if (asked->format == ASKED_NODE)
		complete_node(&asked->query);
	return TRUE;
}

void asked_clear(Asked *asked)
{
	g_clear_pointer(&asked->parts, g_free);
}
