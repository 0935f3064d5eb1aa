/* SPDX-License-Identifier: ISC
 *
 * HTTP requests from the loop, by libcurl.
 *
 *     start -> looking up -> exchanging -> told
 *         \________\______________\________/    problem, or out of time
 *
 * Nothing is told from within libcurl or the resolver: their callbacks note what came, and an event
 * of ours ends the request. Names stay watched from one request to the next, so only the first
 * request to a host waits for its address.
 */
#include "balance/director/fetch.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>

#include "balance/director/pause.h"
#include "balance/shown.h"

/* How long the first address of one family waits for the other family's. */
#define OTHER_FAMILY_MS	 300
#define KEPT_CONNECTIONS 1L
/* Then the next request connects anew, to what the name says by then. */
#define CONNECTION_AGE_S 300L

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURL, curl_easy_cleanup)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CURLU, curl_url_cleanup)
typedef struct curl_slist CurlList;
typedef char CurlText;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CurlText, curl_free)

/* One family's addresses of the host. */
typedef struct Lookup {
	Fetch *fetch;
	ResolverName *name; /* NULL: not watched */
	gboolean answered;
	Address address; /* family 0: none */
	char *why;	 /* there is none */
} Lookup;

/* The request that is under way. */
typedef struct Request {
	FetchTell tell;
	gpointer of;
	char *shown; /* "GET http://…", without a password */
	char *host, *port;
	CURL *easy;
	gboolean exchanging; /* libcurl has it */
	guint timeout_ms;
	CurlList *header, *addresses;
	GString *body;
	gsize maximum_bytes, header_bytes;
	char *broken; /* why we broke off; NULL: we did not */
	char problem[CURL_ERROR_SIZE];
} Request;

struct Fetch {
	struct event_base *base;
	Resolver *resolver;
	CURLM *multi;
	struct event *alarm;	/* libcurl's timer */
	struct event *deadline; /* of the request; `next` when there is something to do before it */
	struct event *next;
	char *host; /* that is watched; NULL: none */
	Lookup lookups[2];
	Request *request; /* NULL: idle */
};

/* The request's end */

static void request_free(Request *request)
{
	g_free(request->shown);
	g_free(request->host);
	g_free(request->port);
	curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->header);
	curl_slist_free_all(request->addresses);
	g_string_free(request->body, TRUE);
	g_free(request->broken);
	g_free(request);
}

/* Takes the request out of the machine; the caller frees it. */
static Request *take_request(Fetch *fetch)
{
	Request *request = g_steal_pointer(&fetch->request);
	event_del(fetch->deadline);
	event_del(fetch->next);
	if (request->exchanging)
		curl_multi_remove_handle(fetch->multi, request->easy);
	return request;
}

static void tell_problem(Fetch *fetch, const char *words)
{
	Request *request = take_request(fetch);
	g_autofree char *problem = g_strdup_printf("%s: %s", request->shown, words);
	FetchTell tell = request->tell;
	gpointer of = request->of;
	request_free(request);
	tell(&(FetchAnswer){.problem = problem}, of);
}

/* A tag that can be sent back as it came. */
static char *etag_of(CURL *easy)
{
	struct curl_header *field;
	if (curl_easy_header(easy, "ETag", 0, CURLH_HEADER, -1, &field) != CURLHE_OK ||
		strlen(field->value) > FETCH_MAXIMUM_ETAG_BYTES)
		return NULL;
	for (const char *c = field->value; *c != '\0'; c++)
		if (!g_ascii_isprint(*c))
			return NULL;
	return g_strdup(field->value);
}

static void tell_answer(Fetch *fetch)
{
	Request *request = take_request(fetch);
	long status = 0;
	char *content_type = NULL;
	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(request->easy, CURLINFO_CONTENT_TYPE, &content_type);
	g_autofree char *etag = etag_of(request->easy);
	FetchAnswer answer = {.status = (int)status,
		.content_type = content_type,
		.etag = etag,
		.body = request->body->str,
		.body_bytes = request->body->len};
	request->tell(&answer, request->of); /* may free `fetch` */
	request_free(request);
}

static char *too_large(const Request *request)
{
	return g_strdup_printf("the answer is larger than the %" G_GSIZE_FORMAT " bytes allowed",
		request->maximum_bytes);
}

/* The same words for the same fault, however long it took this time. */
static char *words_of(const Request *request, CURLcode code)
{
	long number = 0;
	curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &number);
	if (request->broken != NULL)
		return g_strdup(request->broken);
	if (code == CURLE_FILESIZE_EXCEEDED)
		return too_large(request);
	if (code == CURLE_COULDNT_CONNECT)
		return g_strdup_printf(
			"cannot connect: %s", number != 0 ? g_strerror((int)number) : "refused");
	if (code == CURLE_OPERATION_TIMEDOUT)
		return g_strdup("cannot connect: no answer in time");
	const char *words = *request->problem ? request->problem : curl_easy_strerror(code);
	return g_utf8_make_valid(words, -1);
}

static void finish(Fetch *fetch, CURLcode code)
{
	if (code == CURLE_OK) {
		tell_answer(fetch);
		return;
	}
	g_autofree char *words = words_of(fetch->request, code);
	tell_problem(fetch, words);
}

static void on_deadline(evutil_socket_t unused, short what, void *of)
{
	Fetch *fetch = of;
	g_autofree char *words = g_strdup_printf("no whole answer within %g s%s",
		(double)fetch->request->timeout_ms / 1000,
		fetch->request->exchanging ? "" : ": its name has no address yet");
	tell_problem(fetch, words);
}

/* libcurl's sockets and timer */

/* There is one request: what is done is the last thing to do. */
static void look_for_end(Fetch *fetch)
{
	int left;
	for (CURLMsg *message; (message = curl_multi_info_read(fetch->multi, &left)) != NULL;)
		if (message->msg == CURLMSG_DONE && fetch->request != NULL &&
			message->easy_handle == fetch->request->easy) {
			finish(fetch, message->data.result);
			return;
		}
}

static void on_alarm(evutil_socket_t unused, short what, void *of)
{
	Fetch *fetch = of;
	int running;
	curl_multi_socket_action(fetch->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	look_for_end(fetch);
}

static void on_socket(evutil_socket_t socket, short what, void *of)
{
	Fetch *fetch = of;
	int running;
	int ready =
		(what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	curl_multi_socket_action(fetch->multi, socket, ready, &running);
	look_for_end(fetch);
}

static int set_alarm(CURLM *multi, long after_ms, void *of)
{
	Fetch *fetch = of;
	if (after_ms < 0)
		event_del(fetch->alarm);
	else
		pause_schedule(fetch->alarm, after_ms);
	return 0;
}

/* `watch` is the event that this socket has already. */
static int watch_socket(CURL *easy, curl_socket_t socket, int wanted, void *of, void *watch)
{
	Fetch *fetch = of;
	if (watch != NULL)
		event_free(watch);
	curl_multi_assign(fetch->multi, socket, NULL);
	if (wanted == CURL_POLL_REMOVE)
		return 0;
	short what = (short)((wanted & CURL_POLL_IN ? EV_READ : 0) |
			     (wanted & CURL_POLL_OUT ? EV_WRITE : 0) | EV_PERSIST);
	struct event *event = event_new(fetch->base, socket, what, on_socket, fetch);
	event_add(event, NULL);
	curl_multi_assign(fetch->multi, socket, event);
	return 0;
}

/* A program that takes this one's place must not find our sockets open. */
static int close_on_exec(void *unused, curl_socket_t socket, curlsocktype purpose)
{
	fcntl(socket, F_SETFD, FD_CLOEXEC);
	return CURL_SOCKOPT_OK;
}

/* What comes */

static size_t break_off(Request *request, char *why)
{
	if (request->broken == NULL)
		request->broken = g_steal_pointer(&why);
	g_free(why);
	return 0;
}

static size_t take_body(char *bytes, size_t unit, size_t count, void *of)
{
	Request *request = of;
	gsize size_bytes = unit * count;
	if (size_bytes > request->maximum_bytes - request->body->len)
		return break_off(request, too_large(request));
	g_string_append_len(request->body, bytes, (gssize)size_bytes);
	return size_bytes;
}

static size_t take_header(char *bytes, size_t unit, size_t count, void *of)
{
	Request *request = of;
	gsize size_bytes = unit * count;
	request->header_bytes += size_bytes;
	if (request->header_bytes > FETCH_MAXIMUM_HEADER_BYTES)
		return break_off(request,
			g_strdup_printf("the answer's header is larger than the %d bytes allowed",
				FETCH_MAXIMUM_HEADER_BYTES));
	return size_bytes;
}

/* Setting up */

static gboolean is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (!g_ascii_isgraph(*text))
			return FALSE;
	return TRUE;
}

/* Only what libcurl would send into the header unchanged can do harm there. */
static const char *fault_of(const FetchCall *call)
{
	gboolean is_http = g_ascii_strncasecmp(call->url, "http://", 7) == 0 ||
			   g_ascii_strncasecmp(call->url, "https://", 8) == 0;
	if (!is_http || !is_printable(call->url) || strlen(call->url) > FETCH_MAXIMUM_URL_BYTES)
		return "this is no address that begins with http:// or https://";
	if (call->token != NULL && (*call->token == '\0' || !is_printable(call->token) ||
					   strlen(call->token) > FETCH_MAXIMUM_TOKEN_BYTES))
		return "the token is empty, too long, or holds a blank or a control character";
	return NULL;
}

static char *part_of(CURLU *url, CURLUPart part, unsigned int flags)
{
	g_autoptr(CurlText) text = NULL;
	return curl_url_get(url, part, &text, flags) == CURLUE_OK ? g_strdup(text) : NULL;
}

static gboolean read_url(Request *request, const char *text)
{
	g_autoptr(CURLU) url = curl_url();
	if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK)
		return FALSE;
	request->host = part_of(url, CURLUPART_HOST, 0);
	request->port = part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	return request->host != NULL && request->port != NULL;
}

static void add_field(Request *request, const char *name, const char *value)
{
	g_autofree char *field = g_strdup_printf("%s: %s", name, value);
	request->header = curl_slist_append(request->header, field);
}

static void set_header(Request *request, const FetchCall *call)
{
	/* An empty "Expect:" keeps libcurl from waiting for 100 Continue. */
	request->header = curl_slist_append(NULL, "Expect:");
	if (call->token != NULL) {
		g_autofree char *bearer = g_strdup_printf("Bearer %s", call->token);
		add_field(request, "Authorization", bearer);
	}
	if (call->etag != NULL)
		add_field(request, "If-None-Match", call->etag);
	if (call->json != NULL)
		add_field(request, "Content-Type", "application/json");
	curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->header);
}

static void set_up(Request *request, const FetchCall *call)
{
	CURL *easy = request->easy;
	curl_easy_setopt(easy, CURLOPT_URL, call->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, CONNECTION_AGE_S);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, close_on_exec);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (call->ca_file != NULL) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, call->ca_file);
		/* Nor what else the system trusts. */
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	curl_easy_setopt(easy, CURLOPT_USERAGENT, call->agent);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->problem);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->maximum_bytes);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
	if (call->json != NULL) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(call->json));
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, call->json);
	}
	set_header(request, call);
}

/* Names */

/* libcurl knows these by itself. */
static gboolean needs_lookup(const char *host)
{
	Address address;
	return *host != '[' && !address_parse(host, &address) &&
	       g_ascii_strcasecmp(host, "localhost") != 0;
}

static void forget_host(Fetch *fetch)
{
	g_clear_pointer(&fetch->host, g_free);
	for (guint i = 0; i < G_N_ELEMENTS(fetch->lookups); i++) {
		g_clear_pointer(&fetch->lookups[i].name, resolver_leave);
		g_clear_pointer(&fetch->lookups[i].why, g_free);
		fetch->lookups[i] = (Lookup){.fetch = fetch};
	}
}

/* When to go on: 0 now, when every family has answered; else later. */
static void go_on(Fetch *fetch)
{
	gboolean all = fetch->lookups[0].answered && fetch->lookups[1].answered;
	gboolean any =
		fetch->lookups[0].address.family != 0 || fetch->lookups[1].address.family != 0;
	if (all)
		pause_schedule(fetch->next, 0);
	else if (any && !event_pending(fetch->next, EV_TIMEOUT, NULL))
		pause_schedule(fetch->next, OTHER_FAMILY_MS);
}

static void on_address(const Address *address, const char *why, gpointer of)
{
	Lookup *lookup = of;
	lookup->answered = TRUE;
	g_clear_pointer(&lookup->why, g_free);
	lookup->address = address != NULL ? *address : (Address){0};
	lookup->why = g_strdup(why);
	if (lookup->fetch->request != NULL && !lookup->fetch->request->exchanging)
		go_on(lookup->fetch);
}

static void look_up(Fetch *fetch, const char *host)
{
	static const int families[] = {AF_INET, AF_INET6};
	if (g_strcmp0(host, fetch->host) == 0)
		return;
	forget_host(fetch);
	fetch->host = g_strdup(host);
	for (guint i = 0; i < G_N_ELEMENTS(families); i++)
		fetch->lookups[i].name = resolver_watch(
			fetch->resolver, host, families[i], on_address, &fetch->lookups[i]);
}

/* "host:443:192.0.2.1,2001:db8::1": with it libcurl has nothing to look up. */
static gboolean give_addresses(Fetch *fetch)
{
	Request *request = fetch->request;
	g_autoptr(GString) entry = g_string_new(NULL);
	g_string_printf(entry, "%s:%s:", request->host, request->port);
	gsize empty = entry->len;
	for (guint i = 0; i < G_N_ELEMENTS(fetch->lookups); i++) {
		char text[ADDRESS_TEXT_BYTES];
		if (fetch->lookups[i].address.family == 0)
			continue;
		address_text(&fetch->lookups[i].address, text);
		g_string_append_printf(entry, "%s%s", entry->len > empty ? "," : "", text);
	}
	if (entry->len == empty)
		return FALSE;
	request->addresses = curl_slist_append(NULL, entry->str);
	curl_easy_setopt(request->easy, CURLOPT_RESOLVE, request->addresses);
	return TRUE;
}

/* Begins the exchange, or says why not. */
static void on_next(evutil_socket_t unused, short what, void *of)
{
	Fetch *fetch = of;
	Request *request = fetch->request;
	if (request->broken != NULL) {
		finish(fetch, CURLE_ABORTED_BY_CALLBACK);
		return;
	}
	if (needs_lookup(request->host) && !give_addresses(fetch)) {
		const char *why = fetch->lookups[0].why != NULL ? fetch->lookups[0].why
								: "its name has no address";
		tell_problem(fetch, why);
		return;
	}
	request->exchanging = TRUE;
	curl_multi_add_handle(fetch->multi, request->easy);
}

/* The door */

Fetch *fetch_new(struct event_base *base, Resolver *resolver)
{
	Fetch *fetch = g_new0(Fetch, 1);
	fetch->base = base;
	fetch->resolver = resolver;
	for (guint i = 0; i < G_N_ELEMENTS(fetch->lookups); i++)
		fetch->lookups[i].fetch = fetch;
	fetch->alarm = evtimer_new(base, on_alarm, fetch);
	fetch->deadline = evtimer_new(base, on_deadline, fetch);
	fetch->next = evtimer_new(base, on_next, fetch);
	fetch->multi = curl_multi_init();
	g_assert(fetch->multi != NULL);
	curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETDATA, fetch);
	curl_multi_setopt(fetch->multi, CURLMOPT_TIMERFUNCTION, set_alarm);
	curl_multi_setopt(fetch->multi, CURLMOPT_TIMERDATA, fetch);
	curl_multi_setopt(fetch->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
	return fetch;
}

void fetch_free(Fetch *fetch)
{
	if (fetch == NULL)
		return;
	fetch_cancel(fetch);
	forget_host(fetch);
	curl_multi_cleanup(fetch->multi);
	event_free(fetch->alarm);
	event_free(fetch->deadline);
	event_free(fetch->next);
	g_free(fetch->host);
	g_free(fetch);
}

void fetch_start(Fetch *fetch, const FetchCall *call, FetchTell tell, gpointer of)
{
	g_assert(fetch->request == NULL);
	Request *request = fetch->request = g_new0(Request, 1);
	request->tell = tell;
	request->of = of;
	request->timeout_ms = call->timeout_ms;
	request->maximum_bytes = call->maximum_bytes;
	request->body = g_string_new(NULL);
	g_autofree char *shown = fetch_shown(call->url);
	request->shown = g_strdup_printf("%s %s", call->json != NULL ? "POST" : "GET", shown);
	request->easy = curl_easy_init();
	g_assert(request->easy != NULL);
	pause_schedule(fetch->deadline, call->timeout_ms);
	const char *fault = fault_of(call);
	if (!read_url(request, call->url) && fault == NULL)
		fault = "this is no address of a web server";
	if (fault == NULL && needs_lookup(request->host) && fetch->resolver == NULL)
		fault = "names cannot be looked up here, give the address";
	if (fault != NULL) {
		request->broken = g_strdup(fault);
		pause_schedule(fetch->next, 0);
		return;
	}
	set_up(request, call);
	if (!needs_lookup(request->host)) {
		pause_schedule(fetch->next, 0);
		return;
	}
	look_up(fetch, request->host);
	go_on(fetch);
}

char *fetch_shown(const char *text)
{
	g_autoptr(CURLU) url = curl_url();
	if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK) {
		g_autofree char *quoted = shown_text(text, -1);
		return g_strdup_printf("\"%s\"", quoted);
	}
	curl_url_set(url, CURLUPART_USER, NULL, 0);
	curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
	return part_of(url, CURLUPART_URL, 0);
}

gboolean fetch_is_local(const char *text)
{
	static const guint8 loopback[16] = {[15] = 1};
	g_autoptr(CURLU) url = curl_url();
	if (curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK)
		return FALSE;
	g_autofree char *host = part_of(url, CURLUPART_HOST, 0);
	if (host == NULL || g_ascii_strcasecmp(host, "localhost") == 0)
		return host != NULL;
	Address address;
	g_autofree char *bare = g_strdelimit(g_strdup(host), "[]", ' ');
	if (!address_parse(g_strstrip(bare), &address))
		return FALSE;
	return address.family == AF_INET ? address.bytes[0] == 127
					 : memcmp(address.bytes, loopback, sizeof loopback) == 0;
}

gboolean fetch_is_busy(const Fetch *fetch)
{
	return fetch->request != NULL;
}

void fetch_cancel(Fetch *fetch)
{
	if (fetch->request != NULL)
		request_free(take_request(fetch));
}
