/* SPDX-License-Identifier: ISC
 *
 * Sets of channel names: {X, X-cck-…} for a name, {X…} for a glob.
 */
#include "channel/row/scope.h"

#include <string.h>

#include "channel/rule/query.h"

static const char *text_of(const json_t *row, const char *column)
{
	return json_string_value(json_object_get(row, column));
}

Scope scope_of_row(StateTable table, const json_t *row)
{
	Scope scope = {text_of(row, "product"), text_of(row, "channel")};
	/* A key must be a text, so tables that are no client's have a star for any product. */
	if (!state_table_answers(table) && g_strcmp0(scope.product, "*") == 0)
		scope.product = NULL;
	return scope;
}

/* How long a glob is before its star. */
static gboolean is_glob(const char *channel, gsize *size)
{
	*size = strlen(channel);
	return *size > 0 && channel[--*size] == '*';
}

static gboolean is_base_of(const char *name, const char *channel)
{
	gsize size = query_channel_base(channel);
	return size > 0 && strlen(name) == size && memcmp(name, channel, size) == 0;
}

gboolean scope_holds(Scope scope, const char *product, const char *channel)
{
	gsize size;
	if (scope.product != NULL && g_strcmp0(scope.product, product) != 0)
		return FALSE;
	if (scope.channel == NULL)
		return TRUE;
	if (channel == NULL)
		return FALSE;
	if (is_glob(scope.channel, &size))
		return strncmp(scope.channel, channel, size) == 0;
	return strcmp(scope.channel, channel) == 0 || is_base_of(scope.channel, channel);
}

static gboolean share_a_beginning(const char *a, gsize a_bytes, const char *b, gsize b_bytes)
{
	return memcmp(a, b, MIN(a_bytes, b_bytes)) == 0;
}

/* The glob meets the name itself, or one of its names with -cck-. */
static gboolean glob_meets(const char *glob, gsize size, const char *name)
{
	g_autofree char *longer = g_strconcat(name, "-cck-", NULL);
	return strncmp(glob, name, size) == 0 ||
	       (size > strlen(name) && share_a_beginning(glob, size, longer, strlen(longer)));
}

static gboolean channels_overlap(const char *a, const char *b)
{
	gsize a_bytes, b_bytes;
	gboolean a_is_glob = is_glob(a, &a_bytes), b_is_glob = is_glob(b, &b_bytes);
	if (a_is_glob && b_is_glob)
		return share_a_beginning(a, a_bytes, b, b_bytes);
	if (a_is_glob)
		return glob_meets(a, a_bytes, b);
	if (b_is_glob)
		return glob_meets(b, b_bytes, a);
	return strcmp(a, b) == 0 || is_base_of(a, b) || is_base_of(b, a);
}

gboolean scope_overlaps(Scope a, Scope b)
{
	if (a.product != NULL && b.product != NULL && strcmp(a.product, b.product) != 0)
		return FALSE;
	return a.channel == NULL || b.channel == NULL || channels_overlap(a.channel, b.channel);
}
