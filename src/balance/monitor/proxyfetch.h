/* SPDX-License-Identifier: ISC
 *
 * What the files of ProxyFetch share: its settings, made once of the service's keys.
 */
#ifndef BALANCE_MONITOR_PROXYFETCH_H
#define BALANCE_MONITOR_PROXYFETCH_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "balance/monitor/http_answer.h"
#include "balance/monitor/monitor.h"

#define PROXYFETCH_MAXIMUM_AT_ONCE	 8	/* URLs of one server under way, with check-all */
#define PROXYFETCH_MAXIMUM_MATCH_STEPS	 100000 /* of the regular expression in one body */
#define PROXYFETCH_MAXIMUM_MATCH_KIB	 1024	/* of memory for that */
#define PROXYFETCH_MAXIMUM_PATTERN_BYTES 4096	/* of the regular expression */

typedef struct FetchUrl {
	char *url;     /* as written */
	char *request; /* whole, as sent */
	gsize request_bytes;
	gboolean is_tls;
	char *host; /* without port and brackets: for TLS */
} FetchUrl;

typedef struct FetchSettings {
	GArray *urls; /* FetchUrl */
	ConfigStatuses statuses;
	char *statuses_text; /* "200-202" */
	gboolean check_all, verify;
	guint max_failures;
	pcre2_code *pattern; /* NULL: the body is of no interest */
	pcre2_match_data *match;
	pcre2_match_context *limits;
} FetchSettings;

FetchSettings *fetch_settings_new(const ConfigService *service, GError **error);
void fetch_settings_free(FetchSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FetchSettings, fetch_settings_free)

/* What a whole answer means, in words for a person. `answer` is complete, or has its head and a
 * status that is not wanted. */
PoolResult fetch_judge(
	const FetchSettings *settings, const HttpAnswer *answer, gint64 took_us, GString *why);
/* TRUE when the rest of the answer does not matter. */
gboolean fetch_is_decided(const FetchSettings *settings, const HttpAnswer *answer);

#endif
