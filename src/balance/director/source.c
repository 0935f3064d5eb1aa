/* SPDX-License-Identifier: ISC
 *
 * Where a server list comes from: which kind of source a URL means, and what all kinds say alike.
 */
#include "balance/director/source.h"

#include <string.h>

#include "balance/director/source_kind.h"

static const SourceKind *const kinds[] = {
	&source_kind_drover,
	&source_kind_file,
	&source_kind_http,
	&source_kind_https,
};

const SourcePace source_pace_usual = {
	.fetch_interval_ms = SOURCE_FETCH_INTERVAL_MS,
	.fetch_timeout_ms = SOURCE_FETCH_TIMEOUT_MS,
	.poll_timeout_ms = SOURCE_POLL_TIMEOUT_MS,
	.poll_minimum_ms = SOURCE_POLL_MINIMUM_MS,
	.retry_first_ms = SOURCE_RETRY_FIRST_MS,
	.retry_last_ms = SOURCE_RETRY_LAST_MS,
	.refused_ms = SOURCE_REFUSED_MS,
	.report_minimum_ms = SOURCE_REPORT_MINIMUM_MS,
	.report_every_ms = SOURCE_REPORT_EVERY_MS,
	.report_timeout_ms = SOURCE_REPORT_TIMEOUT_MS,
};

struct Source {
	const SourceKind *kind;
	gpointer self; /* the kind's */
	SourceTell tell;
	gpointer of;
	char *digest;  /* of the text that was told last; NULL: tell the next whatever it is */
	char *problem; /* that was told last */
};

static const SourceKind *find_kind(const char *url)
{
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
		if (g_str_has_prefix(url, kinds[i]->scheme))
			return kinds[i];
	return NULL;
}

Source *source_new(
	const SourcePlace *place, const char *url, SourceTell tell, gpointer of, GError **error)
{
	const SourceKind *kind = find_kind(url);
	if (kind == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"%s: no server list can be read from there; use file://, http://, https:// "
			"or "
			"drover://",
			url);
		return NULL;
	}
	g_autoptr(Source) source = g_new0(Source, 1);
	source->kind = kind;
	source->tell = tell;
	source->of = of;
	source->self = kind->begin(source, place, url, error);
	return source->self != NULL ? g_steal_pointer(&source) : NULL;
}

void source_free(Source *source)
{
	if (source == NULL)
		return;
	if (source->self != NULL)
		source->kind->end(source->self);
	g_free(source->digest);
	g_free(source->problem);
	g_free(source);
}

static void forget(Source *source)
{
	g_clear_pointer(&source->digest, g_free);
	g_clear_pointer(&source->problem, g_free);
}

void source_refresh(Source *source)
{
	forget(source);
	source->kind->refresh(source->self);
}

void source_report(Source *source, json_t *report)
{
	if (source->kind->report != NULL)
		source->kind->report(source->self, report);
	else
		json_decref(report);
}

void source_say(Source *source, const SourceNews *news)
{
	source->tell(news, source->of);
}

void source_say_text(Source *source, const char *name, ServerListFormat format, const char *text,
	gsize size_bytes)
{
	g_autofree char *digest =
		g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, size_bytes);
	if (g_strcmp0(digest, source->digest) == 0)
		return;
	forget(source);
	source->digest = g_steal_pointer(&digest);
	g_autoptr(ServerList) list = server_list_parse(name, format, text, size_bytes);
	source_say(source, &(SourceNews){.list = list});
}

void source_say_problem(Source *source, const char *problem)
{
	if (g_strcmp0(problem, source->problem) == 0)
		return;
	forget(source);
	source->problem = g_strdup(problem);
	source_say(source, &(SourceNews){.problem = source->problem});
}
