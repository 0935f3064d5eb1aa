/* SPDX-License-Identifier: ISC
 *
 * ProxyFetch: fetches a page from the server itself. One of the URLs at random, or with check-all
 * every one of them, several at a time, for one verdict. Redirects are answers as any other. Rules:
 * docs/monitors.md, "ProxyFetch".
 *
 * A fetch is one connection: CONNECTING (-> GREETING) -> SENDING -> READING -> its result.
 */
#include "balance/monitor/proxyfetch.h"

#include "balance/monitor/exchange_stream.h"

#define READ_AT_ONCE_BYTES (16 * 1024)

typedef enum FetchStage {
	FETCH_CONNECTING,
	FETCH_GREETING, /* TLS's handshake */
	FETCH_SENDING,
	FETCH_READING
} FetchStage;

typedef struct Fetch {
	ExchangeStream stream; /* first: fetch_ready() gets its address */
	const FetchUrl *url;
	FetchStage stage;
	gsize sent_bytes;
	HttpAnswer answer;
} Fetch;

typedef struct FetchExchange {
	Exchange exchange;
	/* With check-all: */
	Fetch *fetches;
	guint lanes, begun, ended, failures;
	gboolean maintenance, starting;
	char *first_failure;
	/* Without: */
	Fetch only;
} FetchExchange;

static const FetchSettings *settings_of(const Exchange *exchange)
{
	return exchange_settings(exchange);
}

static void fetch_times(const ConfigService *service, gint64 *interval_ms, gint64 *timeout_ms)
{
	*interval_ms = service->proxyfetch.interval_ms;
	*timeout_ms = service->proxyfetch.timeout_ms;
}

static guint fetch_lanes(gconstpointer settings_)
{
	const FetchSettings *settings = settings_;
	return settings->check_all ? MIN(settings->urls->len, PROXYFETCH_MAXIMUM_AT_ONCE) : 1;
}

static Exchange *exchange_of(const Fetch *fetch)
{
	return fetch->stream.socket.exchange;
}

static void fetch_close(Fetch *fetch)
{
	exchange_stream_close(&fetch->stream);
	http_answer_clear(&fetch->answer);
}

static void fetch_begin(Exchange *exchange, Fetch *fetch, guint url);

/* All URLs together. */
static void fetch_verdict(FetchExchange *all)
{
	const FetchSettings *settings = settings_of(&all->exchange);
	guint urls = settings->urls->len;
	PoolResult result = all->failures > settings->max_failures ? POOL_RESULT_DOWN
			    : all->maintenance			   ? POOL_RESULT_MAINTENANCE
								   : POOL_RESULT_UP;
	char why[2 * CHECKS_MAXIMUM_WHY_BYTES];
	if (all->failures > 0)
		g_snprintf(why, sizeof why, "%u of %u URLs failed, %u may: %s", all->failures, urls,
			settings->max_failures, all->first_failure);
	else
		g_snprintf(why, sizeof why, "%u of %u URLs in %" G_GINT64_FORMAT " ms%s", urls,
			urls, exchange_took_us(&all->exchange) / 1000,
			all->maintenance ? ", in maintenance" : "");
	exchange_end(&all->exchange, result, why);
}

static void fetch_count(FetchExchange *all, const FetchUrl *url, PoolResult result, const char *why)
{
	all->ended++;
	if (result == POOL_RESULT_MAINTENANCE)
		all->maintenance = TRUE;
	if (result != POOL_RESULT_DOWN)
		return;
	all->failures++;
	if (all->first_failure == NULL)
		all->first_failure = g_strdup_printf("%s: %s", url->url, why);
}

/* The end of one fetch. The exchange may be gone afterwards. */
static void fetch_end(Fetch *fetch, PoolResult result, const char *why)
{
	Exchange *exchange = exchange_of(fetch);
	FetchExchange *all = (FetchExchange *)exchange;
	if (all->fetches == NULL) {
		exchange_end(exchange, result, why);
		return;
	}
	const FetchSettings *settings = settings_of(exchange);
	fetch_close(fetch);
	fetch_count(all, fetch->url, result, why);
	if (all->starting)
		return;
	if (all->failures > settings->max_failures || all->ended == settings->urls->len)
		fetch_verdict(all);
	else if (all->begun < settings->urls->len)
		fetch_begin(exchange, fetch, all->begun++);
}

static void fetch_fail(Fetch *fetch, const char *why)
{
	fetch_end(fetch, POOL_RESULT_DOWN, why);
}

static void fetch_end_with_answer(Fetch *fetch)
{
	g_autoptr(GString) why = g_string_sized_new(120);
	PoolResult result = fetch_judge(settings_of(exchange_of(fetch)), &fetch->answer,
		exchange_took_us(exchange_of(fetch)), why);
	fetch_end(fetch, result, why->str);
}

/* TRUE when there is something to go on with; otherwise later, or the fetch has ended. */
static gboolean goes_on(Fetch *fetch, gssize outcome)
{
	if (outcome == EXCHANGE_STREAM_TROUBLE)
		fetch_fail(fetch, fetch->stream.why);
	return outcome >= 0;
}

/* TRUE when it is all sent. */
static gboolean fetch_send(Fetch *fetch)
{
	const FetchUrl *url = fetch->url;
	if (fetch->stage == FETCH_CONNECTING)
		fetch->stage = url->is_tls ? FETCH_GREETING : FETCH_SENDING;
	if (fetch->stage == FETCH_GREETING) {
		if (!goes_on(fetch, exchange_stream_greet(&fetch->stream)))
			return FALSE;
		fetch->stage = FETCH_SENDING;
	}
	while (fetch->sent_bytes < url->request_bytes) {
		gssize sent = exchange_stream_send(&fetch->stream, url->request + fetch->sent_bytes,
			url->request_bytes - fetch->sent_bytes);
		if (!goes_on(fetch, sent))
			return FALSE;
		fetch->sent_bytes += (gsize)sent;
	}
	fetch->stage = FETCH_READING;
	return TRUE;
}

static void fetch_read(Fetch *fetch)
{
	char bytes[READ_AT_ONCE_BYTES];
	for (;;) {
		gssize got = exchange_stream_receive(&fetch->stream, bytes, sizeof bytes);
		if (!goes_on(fetch, got))
			return;
		HttpAnswerState state =
			got == 0 ? http_answer_close(&fetch->answer)
				 : http_answer_feed(&fetch->answer, bytes, (gsize)got);
		if (state == HTTP_ANSWER_BROKEN) {
			fetch_fail(fetch, fetch->answer.problem);
			return;
		}
		if (state == HTTP_ANSWER_COMPLETE ||
			fetch_is_decided(settings_of(exchange_of(fetch)), &fetch->answer)) {
			fetch_end_with_answer(fetch);
			return;
		}
	}
}

static void fetch_ready(ExchangeSocket *socket)
{
	Fetch *fetch = (Fetch *)socket;
	if (fetch->stage != FETCH_READING && !fetch_send(fetch))
		return;
	/* In the clear a look would be a system call in vain; TLS may have read ahead. */
	if (socket->readable || fetch->stream.tls != NULL)
		fetch_read(fetch);
}

static void fetch_begin(Exchange *exchange, Fetch *fetch, guint number)
{
	const FetchSettings *settings = settings_of(exchange);
	fetch->url = &g_array_index(settings->urls, FetchUrl, number);
	fetch->stage = FETCH_CONNECTING;
	fetch->sent_bytes = 0;
	http_answer_init(&fetch->answer, settings->pattern != NULL);
	const ExchangeTls tls = {fetch->url->host, settings->verify, NULL};
	const char *trouble = exchange_stream_connect(
		exchange, &fetch->stream, fetch->url->is_tls ? &tls : NULL, fetch_ready);
	if (trouble != NULL)
		fetch_fail(fetch, trouble);
}

static void fetch_start_all(FetchExchange *all, const FetchSettings *settings)
{
	all->lanes = MIN(fetch_lanes(settings), all->exchange.slots);
	all->fetches = g_new0(Fetch, all->lanes);
	all->starting = TRUE;
	for (guint lane = 0; lane < all->lanes && all->begun < settings->urls->len; lane++)
		do
			fetch_begin(&all->exchange, &all->fetches[lane], all->begun++);
		while (all->fetches[lane].stream.socket.ready == NULL &&
			all->begun < settings->urls->len);
	all->starting = FALSE;
	if (all->failures > settings->max_failures || all->ended == settings->urls->len)
		fetch_verdict(all);
}

static void fetch_start(Exchange *exchange)
{
	FetchExchange *all = (FetchExchange *)exchange;
	const FetchSettings *settings = settings_of(exchange);
	guint urls = settings->urls->len;
	if (settings->check_all && urls > 1)
		fetch_start_all(all, settings);
	else
		fetch_begin(exchange, &all->only, urls == 1 ? 0 : exchange_random(exchange) % urls);
}

static const char *stage_words(const Fetch *fetch)
{
	switch (fetch->stage) {
	case FETCH_CONNECTING:
		return "while connecting";
	case FETCH_GREETING:
		return "in the TLS handshake";
	case FETCH_SENDING:
		return "while sending the request";
	case FETCH_READING:
		return fetch->answer.head_bytes == 0 ? "waiting for the answer"
						     : "in the middle of the answer";
	}
	g_assert_not_reached();
}

static void time_out_words(const Fetch *fetch, char *why, gsize size)
{
	char time[24];
	exchange_time_text(exchange_timeout_ms(exchange_of(fetch)), time);
	g_snprintf(why, size, "timed out after %s %s", time, stage_words(fetch));
}

/* What has not ended by now, or not begun, has failed. */
static void fetch_expired(Exchange *exchange)
{
	FetchExchange *all = (FetchExchange *)exchange;
	char why[80];
	if (all->fetches == NULL) {
		time_out_words(&all->only, why, sizeof why);
		exchange_end(exchange, POOL_RESULT_DOWN, why);
		return;
	}
	const FetchSettings *settings = settings_of(exchange);
	for (guint lane = 0; lane < all->lanes; lane++) {
		Fetch *fetch = &all->fetches[lane];
		if (fetch->stream.socket.ready == NULL)
			continue;
		time_out_words(fetch, why, sizeof why);
		fetch_count(all, fetch->url, POOL_RESULT_DOWN, why);
	}
	all->failures += settings->urls->len - all->begun;
	fetch_verdict(all);
}

static void fetch_stop(Exchange *exchange)
{
	FetchExchange *all = (FetchExchange *)exchange;
	if (all->fetches == NULL) {
		fetch_close(&all->only);
		return;
	}
	for (guint lane = 0; lane < all->lanes; lane++)
		fetch_close(&all->fetches[lane]);
	g_free(all->fetches);
	g_free(all->first_failure);
}

static gpointer settings_new(const ConfigService *service, GError **error)
{
	return fetch_settings_new(service, error);
}

static void settings_free(gpointer settings)
{
	fetch_settings_free(settings);
}

const Monitor monitor_proxyfetch = {
	.name = "ProxyFetch",
	.exchange_bytes = sizeof(FetchExchange),
	.times = fetch_times,
	.settings_new = settings_new,
	.settings_free = settings_free,
	.sockets = fetch_lanes,
	.start = fetch_start,
	.expired = fetch_expired,
	.stop = fetch_stop,
};
