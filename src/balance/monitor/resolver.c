/* SPDX-License-Identifier: ISC
 *
 * Names to addresses. A name waits for its time, then in one of two queues for a place among the
 * queries under way, then for its answer:
 *
 *     timer ──► queue (fresh | failed) ──► query ──► answered ──► told, timer
 *
 * c-ares calls back from wherever it likes, also from within the call that asks. So its callback
 * only notes the answer; names are told from our own timer, and may be left or watched there.
 *
 * Names that failed before wait in a queue of their own and get half of the places: a thousand
 * names that nobody answers for take nothing from those that are new.
 */
#include "balance/monitor/resolver.h"

#include <ares.h>
#include <event2/event.h>
#include <netdb.h>
#include <string.h>
#include <sys/stat.h>

#include "balance/monitor/resolver_parts.h"

#define TRY_MS 2000
#define TRIES  2

typedef struct Query {
	Resolver *resolver;
	ResolverName *name; /* NULL: nobody waits for it any more */
	gboolean failed_before;
	int status; /* of c-ares */
	GArray *addresses;
	gint64 ttl_s;
	GList link;
} Query;

struct ResolverName {
	Resolver *resolver;
	char *text;
	int family;
	ResolverTell tell;
	gpointer of;
	Address last;	/* told; family 0: none yet */
	char *why;	/* told last, while there is no address */
	guint failures; /* in a row */
	struct event *timer;
	GQueue *queue; /* in which it waits; NULL: in none */
	GList link;
	Query *query; /* under way; NULL: none */
};

struct Resolver {
	struct event_base *base;
	ResolverOptions options;
	char *servers, *resolv_conf;
	struct stat resolv_conf_seen;
	ares_channel channel;
	GHashTable *sockets;	/* file descriptor -> struct event */
	struct event *patience; /* when c-ares wants to be called, whatever comes */
	struct event *soon;	/* answers to tell, places to fill */
	GQueue fresh, failed;	/* of ResolverName: waiting */
	GQueue answered;	/* of Query */
	guint under_way, failed_under_way, peak, names;
};

static void add_timer(struct event *timer, gint64 after_ms)
{
	struct timeval after = {after_ms / 1000, (after_ms % 1000) * 1000};
	event_add(timer, &after);
}

/* c-ares and the loop */

static void set_patience(Resolver *resolver)
{
	struct timeval left;
	if (ares_timeout(resolver->channel, NULL, &left) != NULL)
		event_add(resolver->patience, &left);
	else
		event_del(resolver->patience);
}

static void on_socket(evutil_socket_t fd, short what, void *of)
{
	Resolver *resolver = of;
	ares_process_fd(resolver->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
		what & EV_WRITE ? fd : ARES_SOCKET_BAD);
	set_patience(resolver);
}

static void on_patience(evutil_socket_t fd, short what, void *of)
{
	Resolver *resolver = of;
	ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_patience(resolver);
}

static void on_socket_wish(void *of, ares_socket_t fd, int readable, int writable)
{
	Resolver *resolver = of;
	g_hash_table_remove(resolver->sockets, GINT_TO_POINTER(fd));
	if (!readable && !writable)
		return;
	int wanted = (readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST;
	struct event *event = event_new(resolver->base, fd, (short)wanted, on_socket, resolver);
	event_add(event, NULL);
	g_hash_table_insert(resolver->sockets, GINT_TO_POINTER(fd), event);
}

static gboolean open_channel(Resolver *resolver, GError **error)
{
	const char *path = resolver->resolv_conf;
	struct ares_options options = {
		.timeout = resolver->options.try_ms,
		.tries = TRIES,
		.udp_port = resolver->options.port,
		.tcp_port = resolver->options.port,
		.sock_state_cb = on_socket_wish,
		.sock_state_cb_data = resolver,
		.lookups = (char *)(guintptr) "fb", /* files, then DNS */
		.resolvconf_path = resolver->resolv_conf,
	};
	int set = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_LOOKUPS |
		  ARES_OPT_RESOLVCONF;
	if (options.udp_port != 0)
		set |= ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT;
	if (resolver->servers != NULL)
		set |= ARES_OPT_DOMAINS; /* none: the machine's are no business of a test's */
	if (stat(path, &resolver->resolv_conf_seen) != 0)
		resolver->resolv_conf_seen = (struct stat){0};
	int status = ares_init_options(&resolver->channel, &options, set);
	if (status == ARES_SUCCESS && resolver->servers != NULL)
		status = ares_set_servers_ports_csv(resolver->channel, resolver->servers);
	if (status == ARES_SUCCESS)
		return TRUE;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot set up the resolver by %s: %s",
		resolver->servers != NULL ? resolver->servers : path, ares_strerror(status));
	return FALSE;
}

static gboolean is_stale(const Resolver *resolver)
{
	const struct stat *seen = &resolver->resolv_conf_seen;
	struct stat now;
	if (resolver->servers != NULL || stat(resolver->resolv_conf, &now) != 0)
		return FALSE;
	return now.st_ino != seen->st_ino || now.st_size != seen->st_size ||
	       now.st_mtim.tv_sec != seen->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec;
}

/* When resolv.conf is another, the channel is one, too. FALSE: not yet, it is in use. */
static gboolean renew_channel(Resolver *resolver)
{
	if (!is_stale(resolver))
		return TRUE;
	if (resolver->under_way > 0)
		return FALSE;
	ares_channel old = resolver->channel;
	if (open_channel(resolver, NULL))
		ares_destroy(old);
	else
		resolver->channel = old;
	return TRUE;
}

/* Asking */

static void add_address(GArray *addresses, const struct ares_addrinfo_node *node)
{
	struct sockaddr_storage from = {0};
	Address address;
	if (addresses->len >= RESOLVER_MAXIMUM_ADDRESSES)
		return;
	memcpy(&from, node->ai_addr, MIN((gsize)node->ai_addrlen, sizeof from));
	if (address_from_socket(&from, &address, NULL))
		g_array_append_val(addresses, address);
}

static void on_answer(void *of, int status, int timeouts, struct ares_addrinfo *answer)
{
	Query *query = of;
	query->status = status;
	query->ttl_s = G_MAXINT32;
	query->addresses = g_array_new(FALSE, FALSE, sizeof(Address));
	if (status == ARES_SUCCESS && answer != NULL) {
		for (struct ares_addrinfo_node *node = answer->nodes; node; node = node->ai_next) {
			add_address(query->addresses, node);
			query->ttl_s = MIN(query->ttl_s, node->ai_ttl);
		}
		for (struct ares_addrinfo_cname *cname = answer->cnames; cname; cname = cname->next)
			query->ttl_s = MIN(query->ttl_s, cname->ttl);
	}
	if (answer != NULL)
		ares_freeaddrinfo(answer);
	g_queue_push_tail_link(&query->resolver->answered, &query->link);
	add_timer(query->resolver->soon, 0);
}

static void query_free(Query *query)
{
	g_array_unref(query->addresses);
	g_free(query);
}

static void ask(Resolver *resolver, ResolverName *name, gboolean failed_before)
{
	struct ares_addrinfo_hints hints = {
		.ai_family = name->family,
		.ai_socktype = SOCK_STREAM, /* one node an address */
		.ai_flags = ARES_AI_NOSORT,
	};
	Query *query = g_new0(Query, 1);
	query->resolver = resolver;
	query->name = name;
	query->failed_before = failed_before;
	query->link.data = query;
	name->query = query;
	resolver->under_way++;
	resolver->failed_under_way += failed_before ? 1 : 0;
	resolver->peak = MAX(resolver->peak, resolver->under_way);
	ares_getaddrinfo(resolver->channel, name->text, NULL, &hints, on_answer, query);
}

static GQueue *next_queue(Resolver *resolver)
{
	if (resolver->under_way >= RESOLVER_MAXIMUM_QUERIES)
		return NULL;
	if (!g_queue_is_empty(&resolver->fresh))
		return &resolver->fresh;
	if (resolver->failed_under_way >= RESOLVER_MAXIMUM_QUERIES / 2)
		return NULL;
	return g_queue_is_empty(&resolver->failed) ? NULL : &resolver->failed;
}

static void fill_places(Resolver *resolver)
{
	if (!renew_channel(resolver))
		return;
	for (GQueue *queue; (queue = next_queue(resolver)) != NULL;) {
		ResolverName *name = g_queue_pop_head_link(queue)->data;
		name->queue = NULL;
		ask(resolver, name, queue == &resolver->failed);
	}
	set_patience(resolver);
}

/* Telling */

static char *words_of(const ResolverName *name, int status)
{
	const char *kind = name->family == AF_INET6 ? "IPv6" : "IPv4";
	switch (status) {
	case ARES_SUCCESS:
	case ARES_ENODATA:
		return g_strdup_printf("%s has no %s address", name->text, kind);
	case ARES_ENOTFOUND:
		return g_strdup_printf("there is no name %s", name->text);
	case ARES_EBADNAME:
		return g_strdup_printf("%s cannot be a name", name->text);
	case ARES_ETIMEOUT:
		return g_strdup_printf("no name server answers about %s", name->text);
	case ARES_ESERVFAIL:
	case ARES_EREFUSED:
	case ARES_ECONNREFUSED:
		/* c-ares says the same of a server that fails and of one that is not there. */
		return g_strdup_printf("every name server fails to look for %s", name->text);
	default:
		return g_strdup_printf("looking for %s: %s", name->text, ares_strerror(status));
	}
}

/* Takes `why`. The last thing done with `name`, which may be gone after it. */
static void tell_failure(ResolverName *name, char *why)
{
	if (name->last.family != 0 || g_strcmp0(name->why, why) == 0) {
		g_free(why);
		return;
	}
	g_free(name->why);
	name->why = why;
	g_autofree char *copy = g_strdup(why);
	name->tell(NULL, copy, name->of);
}

/* The last thing done with `name`, which may be gone after it. */
static void tell_address(ResolverName *name, const Address *address)
{
	Address told = *address;
	name->last = told;
	g_clear_pointer(&name->why, g_free);
	name->tell(&told, NULL, name->of);
}

/* From nine tenths of it to the whole, so that names which came together part. */
static gint64 jittered(gint64 time_ms)
{
	return time_ms - g_random_int_range(0, (gint32)MAX(time_ms / 10, 1));
}

static void take_failure(ResolverName *name, int status)
{
	const ResolverOptions *options = &name->resolver->options;
	gint64 pause_ms = options->first_retry_ms << MIN(name->failures, 20);
	name->failures++;
	add_timer(name->timer, jittered(MIN(pause_ms, options->last_retry_ms)));
	tell_failure(name, words_of(name, status));
}

static void take_answer(ResolverName *name, const Query *query)
{
	const ResolverOptions *options = &name->resolver->options;
	const Address *best = NULL;
	for (guint i = 0; i < query->addresses->len; i++) {
		const Address *address = &g_array_index(query->addresses, Address, i);
		gboolean kept = best != NULL && address_equal(best, &name->last);
		if (address->family != name->family || kept)
			continue;
		if (best == NULL || address_equal(address, &name->last) ||
			address_compare(address, best) < 0)
			best = address;
	}
	if (query->status != ARES_SUCCESS || best == NULL) {
		take_failure(name, query->status);
		return;
	}
	name->failures = 0;
	gint64 next_ms = CLAMP(query->ttl_s * 1000, options->minimum_ms, options->maximum_ms);
	add_timer(name->timer, jittered(next_ms));
	if (!address_equal(best, &name->last))
		tell_address(name, best);
}

static void on_soon(evutil_socket_t fd, short what, void *of)
{
	Resolver *resolver = of;
	for (guint left = g_queue_get_length(&resolver->answered); left > 0; left--) {
		Query *query = g_queue_pop_head_link(&resolver->answered)->data;
		resolver->under_way--;
		resolver->failed_under_way -= query->failed_before ? 1 : 0;
		ResolverName *name = query->name;
		if (name != NULL) {
			name->query = NULL;
			take_answer(name, query);
		}
		query_free(query);
	}
	fill_places(resolver);
}

/* Names */

static void on_due(evutil_socket_t fd, short what, void *of)
{
	ResolverName *name = of;
	Resolver *resolver = name->resolver;
	Address literal;
	if (!address_parse(name->text, &literal)) {
		name->queue = name->failures > 0 ? &resolver->failed : &resolver->fresh;
		g_queue_push_tail_link(name->queue, &name->link);
		add_timer(resolver->soon, 0);
		return;
	}
	if (literal.family == name->family)
		tell_address(name, &literal);
	else
		tell_failure(name, g_strdup_printf("%s is an %s address, and the service's is %s",
					   name->text, literal.family == AF_INET6 ? "IPv6" : "IPv4",
					   name->family == AF_INET6 ? "IPv6" : "IPv4"));
}

ResolverName *resolver_watch(
	Resolver *resolver, const char *text, int family, ResolverTell tell, gpointer of)
{
	g_assert(family == AF_INET || family == AF_INET6);
	ResolverName *name = g_new0(ResolverName, 1);
	name->resolver = resolver;
	name->text = g_strdup(text);
	name->family = family;
	name->tell = tell;
	name->of = of;
	name->link.data = name;
	name->timer = evtimer_new(resolver->base, on_due, name);
	add_timer(name->timer, 0);
	resolver->names++;
	return name;
}

void resolver_leave(ResolverName *name)
{
	name->resolver->names--;
	if (name->query != NULL)
		name->query->name = NULL;
	if (name->queue != NULL)
		g_queue_unlink(name->queue, &name->link);
	event_free(name->timer);
	g_free(name->text);
	g_free(name->why);
	g_free(name);
}

guint resolver_under_way(const Resolver *resolver, guint *peak)
{
	if (peak != NULL)
		*peak = resolver->peak;
	return resolver->under_way;
}

/* The resolver */

Resolver *resolver_new_with(struct event_base *base, const ResolverOptions *options, GError **error)
{
	int status = ares_library_init(ARES_LIB_INIT_ALL);
	if (status != ARES_SUCCESS) {
		drover_error_set(error, DROVER_ERROR_INTERNAL, "cannot set up c-ares: %s",
			ares_strerror(status));
		return NULL;
	}
	Resolver *resolver = g_new0(Resolver, 1);
	resolver->base = base;
	resolver->options = *options;
	resolver->options.servers = resolver->options.resolv_conf = NULL; /* not ours: copied */
	resolver->servers = g_strdup(options->servers);
	resolver->resolv_conf =
		g_strdup(options->resolv_conf != NULL ? options->resolv_conf : "/etc/resolv.conf");
	resolver->sockets = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)event_free);
	resolver->patience = evtimer_new(base, on_patience, resolver);
	resolver->soon = evtimer_new(base, on_soon, resolver);
	if (!open_channel(resolver, error))
		g_clear_pointer(&resolver, resolver_free);
	return resolver;
}

Resolver *resolver_new(struct event_base *base, GError **error)
{
	ResolverOptions options = {
		.minimum_ms = RESOLVER_MINIMUM_MS,
		.maximum_ms = RESOLVER_MAXIMUM_MS,
		.first_retry_ms = RESOLVER_FIRST_RETRY_MS,
		.last_retry_ms = RESOLVER_LAST_RETRY_MS,
		.try_ms = TRY_MS,
	};
	return resolver_new_with(base, &options, error);
}

void resolver_free(Resolver *resolver)
{
	if (resolver == NULL)
		return;
	g_assert(resolver->names == 0);
	if (resolver->channel != NULL)
		ares_destroy(resolver->channel); /* answers each query that is under way */
	for (GList *link; (link = g_queue_pop_head_link(&resolver->answered)) != NULL;)
		query_free(link->data);
	event_free(resolver->soon);
	event_free(resolver->patience);
	g_hash_table_unref(resolver->sockets);
	g_free(resolver->servers);
	g_free(resolver->resolv_conf);
	g_free(resolver);
	ares_library_cleanup();
}
