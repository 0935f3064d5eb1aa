/* SPDX-License-Identifier: ISC
 *
 * Where a server list comes from: a file that is watched, a web server that is asked, droverd that
 * is listened to. A source says each new list whole, and what is wrong when it cannot be read; what
 * to do about it is the director's (balance/guard.h). A source never stops trying.
 */
#ifndef BALANCE_DIRECTOR_SOURCE_H
#define BALANCE_DIRECTOR_SOURCE_H

#include "balance/monitor/resolver.h"
#include "balance/server_list.h"

struct event_base;

#define SOURCE_FETCH_INTERVAL_MS                                                                   \
	(30 * 1000)			    /* of http lists, from the end of one try to the next */
#define SOURCE_FETCH_TIMEOUT_MS (10 * 1000) /* of one try, name and all */

/* Of the conversation with droverd (docs/pools.md). */
#define SOURCE_POLL_TIMEOUT_MS                                                                     \
	(35 * 1000)		      /* of one long poll, which droverd answers within 25 s       \
				       */
#define SOURCE_POLL_MINIMUM_MS	 1000 /* between two polls that bring nothing new */
#define SOURCE_RETRY_FIRST_MS	 1000 /* the pause after the first failure; it doubles */
#define SOURCE_RETRY_LAST_MS	 (30 * 1000) /* the longest */
#define SOURCE_REFUSED_MS	 (60 * 1000) /* between tries with a token that was refused */
#define SOURCE_REPORT_MINIMUM_MS 50	     /* what changes within it is one report */
#define SOURCE_REPORT_EVERY_MS	 (30 * 1000) /* when nothing changes */
#define SOURCE_REPORT_TIMEOUT_MS (10 * 1000) /* of one report, name and all */

#define SOURCE_FILE_SETTLE_MS	75   /* quiet that a file's writer must keep before it is read */
#define SOURCE_FILE_WRITING_MS	1000 /* the same, of a writer that has not closed it */
#define SOURCE_FILE_PATIENCE_MS 2000 /* whatever its writer does, it is read after this */
#define SOURCE_FILE_GONE_MS	1000 /* a file that goes may come back within this */
#define SOURCE_FILE_LOOK_MS	(5 * 1000) /* between looks at a file, whatever inotify says */

/* What droverd wants of one server; other sources give none. */
typedef struct SourceOrder {
	PoolDrain drain;
	gboolean forced;
	gint64 id; /* 0: nobody asked for anything */
} SourceOrder;

typedef struct SourceNews {
	ServerList *list;	   /* NULL: it could not be read, `problem` says why. Borrowed */
	const char *problem;	   /* one line; NULL: none */
	const SourceOrder *orders; /* one for each of list->entries; NULL: none */
	gboolean forced;	   /* a person wants this very list */
	gint64 version;		   /* of droverd's list; 0: none */
	gint64 epoch;
} SourceNews;

typedef void (*SourceTell)(const SourceNews *news, gpointer of);

/* The times above, in milliseconds; tests are in a hurry. */
typedef struct SourcePace {
	guint fetch_interval_ms, fetch_timeout_ms;
	guint poll_timeout_ms, poll_minimum_ms;
	guint retry_first_ms, retry_last_ms, refused_ms;
	guint report_minimum_ms, report_every_ms, report_timeout_ms;
} SourcePace;

extern const SourcePace source_pace_usual;

typedef struct SourcePlace {
	struct event_base *base;
	Resolver *resolver;	  /* names of web servers */
	const char *token_file;	  /* of this host at droverd; NULL: none */
	const char *ca_file;	  /* that signs droverd's certificate; NULL: the system's */
	const char *list_ca_file; /* the same of https lists */
	const char *version;	  /* of this program, for User-Agent */
	gboolean droverd_plain;	  /* speak to droverd without TLS; else only on this machine */
	gint64 epoch;		  /* the highest that was seen before, of this list; 0: none */
	const SourcePace *pace;	  /* NULL: the usual one */
} SourcePlace;

typedef struct Source Source;

/* `url` as config.h has checked it: file://, http(s)://, drover://. Tells from the loop, never from
 * within this call, when there is a list and each time it changes; the same bytes are told once. */
Source *source_new(
	const SourcePlace *place, const char *url, SourceTell tell, gpointer of, GError **error);
void source_free(Source *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_free)

/* Reads again now (SIGHUP), and tells even what is unchanged. */
void source_refresh(Source *source);

/* For drover:// only; the others drop it. What the balancer sees of this pool, as docs/pools.md has
 * it, without sequence and times of the report itself: sent at once when it differs from the last
 * one sent, and every 30 s. Takes the reference. */
void source_report(Source *source, json_t *report);

#endif
