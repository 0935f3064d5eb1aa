/* SPDX-License-Identifier: ISC
 *
 * droverd: reads what it is told, opens the store, listens on its two addresses, and stops cleanly.
 */
#include <curl/curl.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/pool.h"
#include "api/warnings.h"
#include "base/file.h"
#include "base/format.h"
#include "api/channel_books.h"
#include "base/log.h"
#include "base/service.h"
#include "landing/book.h"
#include "page/page.h"
#include "programs/droverd/daemon.h"
#include "programs/droverd/listen.h"

#define ADMIN_CONNECTIONS  4096 /* half of them may be balancers that wait */
#define PUBLIC_CONNECTIONS 8192
#define DESCRIPTORS_WANTED 24576 /* both listeners full, and a file for each public one */
#define STOP_GRACE_MS	   10000
#define WATCHER_SILENCE_MS 60000 /* a watcher that is silent for longer hangs: no more watchdog */

typedef struct Options {
	char *config, *store, *state, *admin, *public, *now;
	gboolean behind_proxy, allow_root, log_json, debug, version;
} Options;

static gboolean read_options(int argc, char **argv, Options *options, GError **error)
{
	const GOptionEntry entries[] = {
		{"config", 0, 0, G_OPTION_ARG_FILENAME, &options->config,
			"Configuration (" SETTINGS_DEFAULT_FILE ")", "FILE"},
		{"store", 0, 0, G_OPTION_ARG_STRING, &options->store,
			"sqlite:PATH or postgresql://…", "URL"},
		{"state", 0, 0, G_OPTION_ARG_FILENAME, &options->state,
			"Folder for what is kept beside the database", "DIR"},
		{"admin", 0, 0, G_OPTION_ARG_STRING, &options->admin,
			"Where API and pages listen (127.0.0.1:8461)", "ADDRESS:PORT"},
		{"public", 0, 0, G_OPTION_ARG_STRING, &options->public,
			"Where update queries are answered (127.0.0.1:8460)", "ADDRESS:PORT"},
		{"behind-proxy", 0, 0, G_OPTION_ARG_NONE, &options->behind_proxy,
			"A proxy in front does TLS and sets X-Forwarded-For and -Proto", NULL},
		{"allow-root", 0, 0, G_OPTION_ARG_NONE, &options->allow_root,
			"Work as root, against advice", NULL},
		{"log-json", 0, 0, G_OPTION_ARG_NONE, &options->log_json, "Log as JSON", NULL},
		{"debug", 0, 0, G_OPTION_ARG_NONE, &options->debug, "Log more", NULL},
		{"now", 0, 0, G_OPTION_ARG_STRING, &options->now,
			"Act as if it were this time: for rehearsals", "TIME"},
		{"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version", NULL},
		{0},
	};
	g_autoptr(GOptionContext) context = g_option_context_new("- Drover's control host");
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_set_summary(context,
		"Serves Drover's API and pages on the admin address and update answers on the "
		"public "
		"one, scans,\nreminds and enacts what is due. Options win over the environment "
		"(DROVER_CONFIG, DROVER_STORE,\nDROVER_STATE), which wins over the configuration.");
	g_option_context_set_description(context,
		"Example:\n  droverd --state /var/lib/drover --admin 127.0.0.1:8461\n\n"
		"See droverd(8), drover.conf(5), drover(1).");
	if (!g_option_context_parse(context, &argc, &argv, error)) {
		(*error)->domain = DROVER_ERROR;
		(*error)->code = DROVER_ERROR_INPUT;
		return FALSE;
	}
	if (argc > 1)
		drover_error_set(error, DROVER_ERROR_INPUT,
			"droverd takes no arguments, only options: '%s' is none", argv[1]);
	return argc <= 1;
}

static void options_clear(Options *options)
{
	g_free(options->config);
	g_free(options->store);
	g_free(options->state);
	g_free(options->admin);
	g_free(options->public);
	g_free(options->now);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static const char *first_of(const char *option, const char *variable)
{
	const char *value = option != NULL ? option : g_getenv(variable);
	return value != NULL && *value != '\0' ? value : NULL;
}

static void set_over(Settings *settings, const char *name, const char *value)
{
	if (value != NULL)
		settings_set(settings, name, value);
}

static Settings *gather_settings(const Options *options, GError **error)
{
	g_autoptr(Settings) settings = settings_new();
	g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
	const char *config = first_of(options->config, "DROVER_CONFIG");
	gboolean is_default = config == NULL;
	if (is_default)
		config = SETTINGS_DEFAULT_FILE;
	if ((!is_default || g_file_test(config, G_FILE_TEST_EXISTS)) &&
		!settings_load(settings, config, warnings, error))
		return NULL;
	for (guint i = 0; i < warnings->len; i++)
		log_event(LOG_LEVEL_WARNING, "config.warning", "what", warnings->pdata[i], NULL);
	set_over(settings, "store.url", first_of(options->store, "DROVER_STORE"));
	set_over(settings, "state.folder", first_of(options->state, "DROVER_STATE"));
	set_over(settings, "admin.listen", options->admin);
	set_over(settings, "public.listen", options->public);
	set_over(settings, "admin.behind-proxy", options->behind_proxy ? "yes" : NULL);
	return g_steal_pointer(&settings);
}

static gboolean refuse_root(const Options *options, GError **error)
{
	if (geteuid() != 0 || options->allow_root)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_ROOT,
		"droverd does not work as root: run it as a user of its own (systemd's "
		"User=drover), or "
		"say --allow-root");
	return FALSE;
}

/* Passwords and sessions must not cross a network in the clear. */
static gboolean refuse_open_admin(
	const Settings *settings, const ListenAddress *address, GError **error)
{
	if (listen_address_is_loopback(address) ||
		settings_text(settings, "admin.certificate") != NULL ||
		settings_boolean(settings, "admin.behind-proxy"))
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INPUT,
		"the admin address %s can be reached from other hosts, and there is no TLS: set "
		"[admin] "
		"certificate and key, or behind-proxy when a proxy in front does TLS, or listen on "
		"127.0.0.1",
		address->address);
	return FALSE;
}

static gboolean start_admin(Daemon *daemon, GError **error)
{
	g_auto(ListenAddress) address = {0};
	const Settings *settings = daemon->settings;
	if (!listen_address_parse(
		    settings_text(settings, "admin.listen"), "[admin] listen", &address, error) ||
		!refuse_open_admin(settings, &address, error))
		return FALSE;
	HttpServerOptions options = {
		.address = address.address,
		.port = address.port,
		.certificate_file = settings_text(settings, "admin.certificate"),
		.key_file = settings_text(settings, "admin.key"),
		.behind_proxy = settings_boolean(settings, "admin.behind-proxy"),
		.maximum_connections = ADMIN_CONNECTIONS,
		.workers = (guint)settings_integer(settings, "admin.workers"),
		.body_limit = admin_body_limit,
		.handler = admin_answer,
		.of = daemon,
	};
	daemon->admin = http_server_start(&options, error);
	return daemon->admin != NULL;
}

static gboolean start_public(Daemon *daemon, GError **error)
{
	g_auto(ListenAddress) address = {0};
	if (!listen_address_parse(settings_text(daemon->settings, "public.listen"),
		    "[public] listen", &address, error))
		return FALSE;
	HttpServerOptions options = {
		.address = address.address,
		.port = address.port,
		.engine = HTTP_ENGINE_LOOP, /* it has no TLS of its own */
		.maximum_connections = PUBLIC_CONNECTIONS,
		.handler = public_answer,
		.of = daemon,
	};
	daemon->public = http_server_start(&options, error);
	return daemon->public != NULL;
}

static gboolean take_epoch(Store *store, gpointer of, GError **error)
{
	const Daemon *daemon = of;
	return pool_epoch_take(store, clock_now_us(daemon->site.clock), error);
}

Store *daemon_open_store(Daemon *daemon, GError **error)
{
	Store *store = store_open(daemon->store_url, error);
	if (store != NULL)
		channel_shelf_share(daemon->shelf, store);
	return store;
}

/* The first connection migrates; all of them wait in the queue for a worker. */
static gboolean open_stores(Daemon *daemon, GError **error)
{
	gint64 workers = settings_integer(daemon->settings, "admin.workers");
	daemon->stores = g_async_queue_new_full((GDestroyNotify)store_close);
	for (gint64 i = 0; i < workers; i++) {
		Store *store = daemon_open_store(daemon, error);
		if (store == NULL)
			return FALSE;
		g_async_queue_push(daemon->stores, store);
		if (i == 0 && (!store_migrate(store, error) ||
				      !store_write(store, take_epoch, daemon, error)))
			return FALSE;
	}
	return TRUE;
}

static void tell_ready(Daemon *daemon)
{
	g_auto(ListenAddress) admin = {0}, public = {0};
	if (!listen_address_parse(
		    settings_text(daemon->settings, "admin.listen"), "", &admin, NULL) ||
		!listen_address_parse(
			settings_text(daemon->settings, "public.listen"), "", &public, NULL))
		return;
	g_autofree char *admin_at =
		listen_address_text(admin.address, http_server_port(daemon->admin));
	g_autofree char *public_at =
		listen_address_text(public.address, http_server_port(daemon->public));
	g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
	log_event(LOG_LEVEL_INFO, "droverd.ready", "version", DROVER_VERSION, "pid", pid, "admin",
		admin_at, "public", public_at, "state", daemon->site.state_folder, NULL);
	service_notify("READY=1");
}

/* Fed only while the watcher really goes round. */
static void feed_watchdog(const Daemon *daemon)
{
	gint64 last_ms = __atomic_load_n(&daemon->watcher_ms, __ATOMIC_RELAXED);
	if (clock_monotonic_ms() - last_ms < WATCHER_SILENCE_MS)
		service_notify("WATCHDOG=1");
}

static void wait_for_signal(const Daemon *daemon, const sigset_t *signals)
{
	for (;;) {
		struct timespec patience = {.tv_sec = 5};
		int number = sigtimedwait(signals, NULL, &patience);
		if (number == SIGTERM || number == SIGINT) {
			log_event(LOG_LEVEL_INFO, "droverd.stopping", "signal", strsignal(number),
				NULL);
			return;
		}
		feed_watchdog(daemon);
	}
}

static void stop(Daemon *daemon, GThread *watcher, GThread *timer)
{
	service_notify("STOPPING=1");
	g_atomic_int_set(&daemon->stopping, 1);
	daemon_nudge(daemon);
	if (daemon->events != NULL)
		http_events_close(daemon->events);
	if (watcher != NULL)
		g_thread_join(watcher);
	if (timer != NULL)
		g_thread_join(timer);
}

static gboolean serve(Daemon *daemon, const sigset_t *signals, GError **error)
{
	if (!file_make_folder(daemon->site.state_folder, 0700, error) ||
		!releases_set_up(daemon, error) || !indexes_set_up(daemon, error) ||
		!open_stores(daemon, error) || !start_admin(daemon, error) ||
		!start_public(daemon, error))
		return FALSE;
	daemon->watcher_ms = clock_monotonic_ms();
	GThread *watcher = g_thread_new("watch", watch_changes, daemon);
	GThread *timer = g_thread_new("clock", keep_time, daemon);
	GThread *appointments = g_thread_new("go-live", keep_appointments, daemon);
	GThread *indexes =
		daemon->index_key != NULL ? g_thread_new("indexes", keep_indexes, daemon) : NULL;
	tell_ready(daemon);
	wait_for_signal(daemon, signals);
	stop(daemon, watcher, timer);
	g_thread_join(appointments);
	if (indexes != NULL)
		g_thread_join(indexes);
	if (daemon->outdated == NULL)
		return TRUE;
	log_event(LOG_LEVEL_ERROR, "store.outdated", "why", daemon->outdated->message, NULL);
	g_propagate_error(error, g_steal_pointer(&daemon->outdated));
	return FALSE;
}

static gboolean run(const Options *options, const sigset_t *signals, GError **error)
{
	gint64 now_us = 0;
	if (!refuse_root(options, error) ||
		(options->now != NULL && !parse_time(options->now, &now_us, error)))
		return FALSE;
	g_autoptr(Settings) settings = gather_settings(options, error);
	if (settings == NULL)
		return FALSE;
	g_autofree char *store_url = settings_store_url(settings);
	g_autoptr(LandingBooks) books = landing_books_new();
	g_autoptr(ChannelBooks) channels = channel_books_new();
	g_autoptr(ChannelShelf) shelf = channel_shelf_new();
	g_autoptr(ApiWarnings) warnings = api_warnings_new();
	Daemon daemon = {.settings = settings,
		.store_url = store_url,
		.events = http_events_new(),
		.started_us = clock_now_us(CLOCK_SYSTEM)};
	gboolean ok = settings_site(settings, clock_fixed(now_us), &daemon.site, error);
	daemon.site.books = books;
	daemon.site.channels = channels;
	daemon.site.warnings = warnings;
	daemon.shelf = shelf;
	daemon.updates.channels = channels;
	daemon.site.make_report = page_report;
	ok = ok && updates_set_up(&daemon.updates, settings, error) &&
	     serve(&daemon, signals, error);
	if (daemon.admin != NULL)
		http_server_stop(daemon.admin, STOP_GRACE_MS);
	if (daemon.public != NULL)
		http_server_stop(daemon.public, STOP_GRACE_MS);
	secret_key_free(daemon.index_key);
	http_events_unref(daemon.events);
	g_clear_pointer(&daemon.lists, g_hash_table_unref);
	updates_clear(&daemon.updates);
	g_clear_pointer(&daemon.stores, g_async_queue_unref);
	return ok;
}

/* Signals are waited for in one place; threads made later inherit the mask. */
static void block_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	sigaddset(signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Both listeners full, the stores and some files. Where less is allowed, the listeners refuse
 * earlier. */
static void raise_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS_WANTED)
		return;
	limit.rlim_cur = MIN(limit.rlim_max, DESCRIPTORS_WANTED);
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_event(LOG_LEVEL_WARNING, "droverd.descriptors", "why", g_strerror(errno), NULL);
}

int main(int argc, char **argv)
{
	g_auto(Options) options = {0};
	g_autoptr(GError) error = NULL;
	sigset_t signals;
	setlocale(LC_CTYPE, "C.UTF-8");
	if (!read_options(argc, argv, &options, &error)) {
		fprintf(stderr, "droverd: %s\n", error->message);
		return drover_error_exit_status(error);
	}
	if (options.version) {
		puts("droverd " DROVER_VERSION);
		return 0;
	}
	log_setup(options.log_json ? LOG_FORMAT_JSON : log_format_for_stderr(),
		options.debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, STDERR_FILENO);
	block_signals(&signals);
	raise_descriptors();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (run(&options, &signals, &error)) {
		log_event(LOG_LEVEL_INFO, "droverd.stopped", NULL);
		return 0;
	}
	fprintf(stderr, "droverd: %s\n", error->message);
	return drover_error_exit_status(error);
}
