/* SPDX-License-Identifier: ISC
 *
 * Update queries at the public address: what they are answered from, and the answers.
 */
#ifndef DROVERD_UPDATES_H
#define DROVERD_UPDATES_H

#include "api/channel_books.h"
#include "channel/answer/signature.h"
#include "programs/droverd/answer_cache.h"
#include "programs/settings.h"
#include "wire/http_server.h"

/* Each with the sentence that /metrics and the manual show. */
#define UPDATE_COUNTERS(COUNTER)                                                                   \
	COUNTER(xml, "drover_updates_xml_total", "Update queries answered in XML")                 \
	COUNTER(json, "drover_updates_json_total", "Update queries answered in JSON")              \
	COUNTER(node, "drover_updates_node_total", "Update queries of nodes answered")             \
	COUNTER(offered, "drover_updates_offered_total", "Update queries that got a release")      \
	COUNTER(nothing, "drover_updates_nothing_total", "Update queries that got nothing")        \
	COUNTER(undefined, "drover_updates_undefined_total",                                       \
		"Update queries of test channels that have no answer, for a change that "          \
		"conflicts")                                                                       \
	COUNTER(bad, "drover_updates_bad_total",                                                   \
		"Update queries refused: no such address, or a version that is none")              \
	COUNTER(refused_files, "drover_updates_refused_files_total",                               \
		"Files left out of answers because their host is not one of the product")

#define UPDATE_COUNTER_FIELD(field, name, help) gint field;
typedef struct UpdateCounters {
	UPDATE_COUNTERS(UPDATE_COUNTER_FIELD)
} UpdateCounters;

typedef struct Updates {
	GMutex lock;
	Published *published; /* under the lock; NULL: not read yet */
	guint64 serial;	      /* under the lock: how often it was exchanged */
	AnswerCache *cache;   /* NULL: nothing is kept */
	/* The watcher's own: */
	GPtrArray *replaced; /* of Published: some answer may still be made from them */
	gint64 generation;
	gint publications; /* atomic: what of these is in memory, with the one that answers */
	/* Set once: */
	ChannelBooks *channels; /* what the API reads, too */
	char *files_url;	/* where /releases is reached; NULL: nobody said */
	gboolean has_key;
	AnswerKey key;
	UpdateCounters counters; /* atomic */
} Updates;

/* Reads [public] url and signing-key. Fails with DROVER_ERROR_INPUT. */
gboolean updates_set_up(Updates *updates, const Settings *settings, GError **error);
void updates_clear(Updates *updates);

/* Of the watcher: makes anew what is published when the generation moved. */
gboolean updates_look(Updates *updates, Store *store, GError **error);
/* Below /update/. Any thread. */
HttpAnswer *updates_answer(Updates *updates, const HttpRequest *request);

#endif
