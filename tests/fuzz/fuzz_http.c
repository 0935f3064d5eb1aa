/* SPDX-License-Identifier: ISC
 *
 * Any bytes as what a peer sends down one connection to droverd's admin listener: the real server,
 * the real door, API and pages, on a small store. It must live, let go of the connection, and say
 * nothing but whole HTTP answers.
 *
 * The token "drt_fuzz" and the session "fuzz" are an admin's. A store that was written to is made
 * anew, so each input meets the same one.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "landing/book.h"
#include "page/page.h"
#include "programs/droverd/daemon.h"
#include "wire/http_inside.h"

#define PATIENCE_MS 60000 /* for whatever must come: a request is never slower, only a bug is */
#define NOW_US	    (G_GINT64_CONSTANT(1795262400) * US_PER_SECOND) /* 2026-11-21T12:00:00Z */
#define FAR_US	    (2 * NOW_US)

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes);

static const char *const rows[] = {
	"INSERT INTO person (id, name, email, password_hash, is_disabled, created_us, "
	"data_version) VALUES (1, 'ada', 'ada@example.org', NULL, 0, 1, 1)",
	"INSERT INTO person_role (person_id, product, role) VALUES (1, '*', 'admin')",
};
static const char sql_token[] =
	"INSERT INTO token (id, person_id, name, digest, created_us, expires_us, used_us) "
	"VALUES (1, 1, 'fuzz', ?, 1, ?, ?)";
static const char sql_session[] =
	"INSERT INTO session (digest, person_id, created_us, expires_us) VALUES (?, 1, 1, ?)";
static const char landings[] =
	"{'landings':[{'rev':1,'author':'Ada','email':'ada@example.org','subject':'one','items':"
	"[{'id':7,'state':'ok'}]},{'rev':2,'subject':'two','items':[{'id':8}]},"
	"{'rev':3,'rollback_of':2},{'rev':4,'fixes':1,'qa':'no-qa'}]}";

typedef struct House {
	char *folder;
	char *template; /* the store's file */
	gsize template_bytes;
	Daemon daemon;
	gint64 written_ns;
} House;

static void must(gboolean done, const GError *error)
{
	if (!done)
		g_error("%s", error->message);
}

/* -- the place: one for the process, its store as it was made for each input --------------------
 */

static House place;

static char *path_of(const char *name)
{
	return g_build_filename(place.folder, name, NULL);
}

static void leave_place(void)
{
	http_server_stop(place.daemon.admin, 0);
	http_events_close(place.daemon.events);
	http_events_unref(place.daemon.events);
	landing_books_free(place.daemon.site.books);
	g_async_queue_unref(place.daemon.stores);
	file_remove(place.folder, NULL);
	g_free(place.folder);
	g_free(place.template);
}

static Store *open_store(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = path_of("store.db");
	g_autofree char *url = g_strconcat("sqlite:", path, NULL);
	Store *store = store_open(url, &error);
	must(store != NULL, error);
	return store;
}

static gboolean write_rows(Store *store, gpointer of, GError **error)
{
	g_autofree char *token = secret_digest("drt_fuzz");
	g_autofree char *session = secret_digest("fuzz");
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (!store_execute(store, error, rows[i], STORE_NO_PARAMS))
			return FALSE;
	return store_execute(store, error, sql_token,
		       STORE_PARAMS(STORE_TEXT(token), STORE_INT(FAR_US), STORE_INT(FAR_US))) &&
	       store_execute(store, error, sql_session,
		       STORE_PARAMS(STORE_TEXT(session), STORE_INT(FAR_US)));
}

static void ask(Store *store, const char *path, const char *body)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Actor) local = actor_new(ACTOR_LOCAL, "fuzz", "drover", 0);
	g_autofree char *text = g_strdelimit(g_strdup(body), "'", '"');
	g_autoptr(json_t) json = json_read("seed", text, strlen(text), &error);
	must(json != NULL, error);
	g_autoptr(json_t) answer =
		api_call(&place.daemon.site, store, local, "POST", path, NULL, json, &error);
	must(answer != NULL, error);
}

static void make_template(void)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *path = path_of("store.db");
	g_autoptr(Store) store = open_store();
	must(store_migrate(store, &error), error);
	must(store_write(store, write_rows, NULL, &error), error);
	ask(store, "/products", "{'name':'web','title':'The shop'}");
	ask(store, "/products/web/landings", landings);
	store_close(g_steal_pointer(&store)); /* one file and nothing beside it */
	must(g_file_get_contents(path, &place.template, &place.template_bytes, &error), error);
}

/* When somebody last wrote. */
static gint64 written_ns(void)
{
	struct stat log;
	g_autofree char *path = path_of("store.db-wal");
	if (stat(path, &log) != 0)
		return 0;
	return (gint64)log.st_mtim.tv_sec * 1000000000 + log.st_mtim.tv_nsec;
}

/* Nothing that an input does meets the next one. */
static void renew_store(void)
{
	if (place.written_ns != 0 && place.written_ns == written_ns())
		return;
	g_autoptr(GError) error = NULL;
	g_autofree char *path = path_of("store.db");
	store_close(g_async_queue_try_pop(place.daemon.stores));
	must(g_file_set_contents_full(path, place.template, (gssize)place.template_bytes,
		     G_FILE_SET_CONTENTS_NONE, 0600, &error),
		error);
	g_clear_pointer(&place.daemon.site.books, landing_books_free);
	place.daemon.site.books = landing_books_new();
	g_async_queue_push(place.daemon.stores, open_store());
	place.written_ns = written_ns();
}

static void start_server(void)
{
	g_autoptr(GError) error = NULL;
	Daemon *daemon = &place.daemon;
	HttpServerOptions options = {.address = "127.0.0.1",
		.behind_proxy = TRUE,
		.body_limit = admin_body_limit,
		.handler = admin_answer,
		.of = daemon};
	daemon->admin = daemon->public = http_server_start(&options, &error);
	must(daemon->admin != NULL, error);
}

static void enter_place(void)
{
	g_autoptr(GError) error = NULL;
	Daemon *daemon = &place.daemon;
	signal(SIGPIPE, SIG_IGN);
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR, STDERR_FILENO);
	place.folder = g_dir_make_tmp("drover-fuzz-XXXXXX", &error);
	must(place.folder != NULL, error);
	daemon->events = http_events_new();
	daemon->stores = g_async_queue_new_full((GDestroyNotify)store_close);
	daemon->site = (ApiSite){.clock = clock_fixed(NOW_US),
		.state_folder = place.folder,
		.books = landing_books_new(),
		.make_report = page_report};
	make_template();
	start_server();
	atexit(leave_place);
}

/* -- the conversation ------------------------------------------------------------------------- */

typedef struct Conversation {
	int fd;
	const guint8 *bytes;
	gsize size_bytes, sent;
	GByteArray *received;
} Conversation;

/* TRUE while there is more to say. The end is told when the server has read the rest: libmicrohttpd
 * does not see an end that comes together with bytes, and would wait for its deadline. */
static gboolean say(Conversation *talk)
{
	gsize left = talk->size_bytes - talk->sent;
	gssize taken = left > 0 ? send(talk->fd, talk->bytes + talk->sent, left, MSG_DONTWAIT) : 0;
	int unread = 0;
	if (taken > 0)
		talk->sent += (gsize)taken;
	else if (taken < 0 && errno != EAGAIN)
		talk->sent = talk->size_bytes; /* it does not listen any more */
	ioctl(talk->fd, SIOCOUTQ, &unread);
	if (talk->sent < talk->size_bytes || unread > 0)
		return TRUE;
	shutdown(talk->fd, SHUT_WR);
	return FALSE;
}

/* FALSE when all has been heard. */
static gboolean listen_on(Conversation *talk)
{
	guint8 part[4096];
	gssize got = recv(talk->fd, part, sizeof(part), MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return TRUE;
	if (got <= 0)
		return FALSE;
	g_byte_array_append(talk->received, part, (guint)got);
	/* A stream of events ends when its reader does. */
	return g_strstr_len((char *)talk->received->data, (gssize)talk->received->len,
		       "text/event-stream") == NULL;
}

static void converse(Conversation *talk)
{
	gint64 until_ms = clock_monotonic_ms() + PATIENCE_MS;
	gboolean more = TRUE, open = TRUE;
	while (open) {
		more = more && say(talk);
		struct pollfd wait = {.fd = talk->fd, .events = POLLIN};
		struct timespec brief = {.tv_nsec = more ? 20000 : 100000000};
		if (ppoll(&wait, 1, &brief, NULL) == 1)
			open = listen_on(talk);
		g_assert(clock_monotonic_ms() < until_ms);
	}
}

/* The server has let go of it. */
static void wait_until_gone(void)
{
	HttpServerFigures figures;
	gint64 until_ms = clock_monotonic_ms() + PATIENCE_MS;
	for (;;) {
		http_server_figures(place.daemon.admin, &figures);
		if (figures.open_connections == 0)
			return;
		g_assert(clock_monotonic_ms() < until_ms);
		g_usleep(20);
	}
}

/* -- what came back --------------------------------------------------------------------------- */

/* One line without its CRLF; moves on. NULL when there is none: the caller's assertion. */
static char *take_line(const char **at, const char *end)
{
	const char *stop = g_strstr_len(*at, end - *at, "\r\n");
	if (stop == NULL)
		return NULL;
	char *line = g_strndup(*at, (gsize)(stop - *at));
	for (const char *c = line; *c != '\0'; c++)
		g_assert(!g_ascii_iscntrl(*c) || *c == '\t');
	g_assert(strlen(line) == (gsize)(stop - *at));
	*at = stop + 2;
	return line;
}

/* The status; *length the declared one, -1 for none, -2 for chunks. */
static int take_head(const char **at, const char *end, gint64 *length)
{
	g_autofree char *first = take_line(at, end);
	g_assert(first != NULL);
	g_assert(g_str_has_prefix(first, "HTTP/1.1 ") || g_str_has_prefix(first, "HTTP/1.0 "));
	int status = atoi(first + strlen("HTTP/1.1 "));
	g_assert(status >= 100 && status < 600);
	*length = -1;
	for (;;) {
		g_autofree char *line = take_line(at, end);
		g_assert(line != NULL);
		if (*line == '\0')
			return status;
		char *colon = strchr(line, ':');
		g_assert(
			colon != NULL && colon > line && !memchr(line, ' ', (gsize)(colon - line)));
		if (g_ascii_strncasecmp(line, "Content-Length:", 15) == 0)
			*length = g_ascii_strtoll(colon + 1, NULL, 10);
		if (g_ascii_strncasecmp(line, "Transfer-Encoding:", 18) == 0)
			*length = -2;
	}
}

/* libmicrohttpd 0.9.75 writes the head of its own refusals (no Host, a length that is none) twice,
 * and closes: for the peer, one answer and a body that goes on. */
static gboolean repeats(const char *head, const char *at, const char *end)
{
	return end - at >= at - head && memcmp(head, at, (gsize)(at - head)) == 0;
}

/* Every byte belongs to an answer. What HEAD was answered cannot be told apart from here: then the
 * first head alone is looked at. */
static void check_answers(const GByteArray *received, gboolean has_head)
{
	if (received->len == 0)
		return;
	const char *at = (const char *)received->data;
	const char *end = at + received->len;
	while (at < end) {
		gint64 length;
		const char *head = at;
		int status = take_head(&at, end, &length);
		if ((status == 400 || status == 413) && repeats(head, at, end))
			at += at - head;
		if (has_head || length == -2)
			return;
		gboolean empty = status < 200 || status == 204 || status == 304;
		g_assert(empty || length >= 0);
		g_assert(empty || length <= end - at);
		at += empty ? 0 : length;
	}
}

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes)
{
	if (place.folder == NULL)
		enter_place();
	renew_store();
	int ends[2];
	int made = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
	g_assert(made == 0);
	gboolean adopted = http_server_adopt(place.daemon.admin, ends[1]);
	g_assert(adopted);
	g_autoptr(GByteArray) received = g_byte_array_new();
	Conversation talk = {
		.fd = ends[0], .bytes = bytes, .size_bytes = size_bytes, .received = received};
	converse(&talk);
	close(talk.fd);
	wait_until_gone();
	check_answers(
		received, g_strstr_len((const char *)bytes, (gssize)size_bytes, "HEAD") != NULL);
	/* No input makes a fault of ours; the log above has said which. */
	g_assert_cmpint(g_atomic_int_get(&place.daemon.counters.errors), ==, 0);
	return 0;
}
