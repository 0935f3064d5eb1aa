/* SPDX-License-Identifier: ISC
 *
 * Choosing files. Where a list has one for the release that the client runs and one for any ("*"),
 * the first of them is taken that leads from the one it runs.
 */
#include "channel/answer/offer.h"

#include <string.h>

#include "channel/row/file_host.h"

static const char *text_of(const json_t *row, const char *column)
{
	return json_string_value(json_object_get(row, column));
}

static const json_t *platform_of(const json_t *release, const char *name)
{
	const json_t *platforms = json_object_get(release, "platforms");
	const json_t *platform = name == NULL ? NULL : json_object_get(platforms, name);
	const char *alias = text_of(platform, "alias");
	return alias == NULL ? platform : json_object_get(platforms, alias);
}

static const json_t *locale_of(const json_t *platform, const char *name)
{
	return name == NULL ? NULL : json_object_get(json_object_get(platform, "locales"), name);
}

const char *offer_text(const Offer *offer, const char *column)
{
	const char *text = text_of(offer->locale, column);
	if (text == NULL)
		text = text_of(offer->platform, column);
	return text == NULL && offer->release != NULL ? text_of(offer->release->row, column) : text;
}

/* What the client runs --------------------------------------------------------------------------
 */

/* By its name when the client says it; else version and build, in the client's platform and locale,
 * must be those of the release. */
static gboolean runs(const Place *place, const Query *query, const char *running, const char *from)
{
	if (running != NULL)
		return strcmp(running, from) == 0;
	Offer named = {.release = snapshot_release(place->snapshot, from)};
	if (named.release == NULL || !named.release->has_version || !query->has_version ||
		named.release->version.scheme != query->version.scheme ||
		version_compare(&named.release->version, &query->version) != 0)
		return FALSE;
	named.platform = platform_of(named.release->row, query->platform);
	named.locale = locale_of(named.platform, query->locale);
	const char *build_id = offer_text(&named, "build_id");
	return build_id == NULL || g_strcmp0(build_id, query->build_id) == 0;
}

typedef struct Client {
	const Place *place;
	const Query *query;
	const char *running;
} Client;

/* `kind`: "completes", of which one that does not say what it leads from is for any, or "partials".
 */
static const json_t *find_file(const Client *client, const json_t *locale, const char *kind)
{
	const json_t *files = json_object_get(locale, kind), *for_any = NULL;
	for (gsize i = 0; i < json_array_size(files); i++) {
		const json_t *file = json_array_get(files, i);
		const char *from = text_of(file, "from");
		if (from != NULL && strcmp(from, "*") != 0 &&
			runs(client->place, client->query, client->running, from))
			return file;
		if (for_any == NULL && (from == NULL ? *kind == 'c' : strcmp(from, "*") == 0))
			for_any = file;
	}
	return for_any;
}

/* Addresses -------------------------------------------------------------------------------------
 */

/* The URL with the host that the test channel has in its place. Caller frees. */
static char *rewritten(const char *url, const json_t *rewrite)
{
	g_autofree char *host = file_host_of(url);
	const char *other = host == NULL ? NULL : text_of(rewrite, host);
	if (other == NULL)
		return g_strdup(url);
	const char *begin = strstr(url, "://") + strlen("://");
	return g_strdup_printf(
		"%.*s%s%s", (int)(begin - url), url, other, begin + strcspn(begin, "/?"));
}

static void offer_file(const Client *client, const char *kind, const char *base_url, Offer *offer,
	OfferedFile *offered)
{
	const json_t *file = find_file(client, offer->locale, kind);
	const char *url = text_of(file, "url"), *path = text_of(file, "file");
	if (url != NULL && !file_host_is_allowed(url, snapshot_hosts(client->place->snapshot,
							      client->query->product))) {
		offer->refused++;
		return;
	}
	g_autofree char *own =
		path != NULL && base_url != NULL ? g_strconcat(base_url, "/", path, NULL) : NULL;
	if (url == NULL && own == NULL)
		return;
	offered->row = file;
	offered->url = rewritten(url != NULL ? url : own, client->place->rewrite);
}

void offer_make(const Place *place, const Query *query, const char *running,
	const ReleaseDocument *release, const char *base_url, Offer *offer)
{
	Client client = {place, query, running};
	*offer = (Offer){.release = release};
	if (release == NULL)
		return;
	offer->platform = platform_of(release->row, query->platform);
	offer->locale = locale_of(offer->platform, query->locale);
	offer_file(&client, "completes", base_url, offer, &offer->complete);
	offer_file(&client, "partials", base_url, offer, &offer->partial);
}

void offer_clear(Offer *offer)
{
	g_clear_pointer(&offer->complete.url, g_free);
	g_clear_pointer(&offer->partial.url, g_free);
}
