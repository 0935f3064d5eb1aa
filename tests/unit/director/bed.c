/* SPDX-License-Identifier: ISC
 *
 * A director in a folder of its own.
 */
#include "tests/unit/director/bed.h"

#include <event2/event.h>

#include "base/file.h"

enum { PATIENCE_MS = 10000 };

int bed_setup(void **state)
{
	Bed *bed = g_new0(Bed, 1);
	bed->folder = g_dir_make_tmp("drover-director-XXXXXX", NULL);
	bed->config = g_build_filename(bed->folder, "lvs.conf", NULL);
	bed->list = g_build_filename(bed->folder, "web.json", NULL);
	bed->state = g_build_filename(bed->folder, "state", NULL);
	bed->base = event_base_new();
	fakes_reset();
	bed_configure(bed, "", "");
	*state = bed;
	return 0;
}

int bed_teardown(void **state)
{
	Bed *bed = *state;
	bed_stop(bed);
	event_base_free(bed->base);
	file_remove(bed->folder, NULL);
	g_free(bed->folder);
	g_free(bed->config);
	g_free(bed->list);
	g_free(bed->state);
	g_free(bed);
	return 0;
}

void bed_write(const char *path, const char *text)
{
	assert_true(g_file_set_contents(path, text, -1, NULL));
}

void bed_configure(const Bed *bed, const char *more, const char *rest)
{
	g_autofree char *text = g_strdup_printf("[global]\nbgp = yes\n"
						"[web]\n"
						"protocol = tcp\nip = 192.0.2.1\nport = 80\n"
						"scheduler = wrr\nconfig = file://%s\n"
						"monitors = [ 'ProxyFetch' ]\n"
						"proxyfetch.url = [ 'http://web/' ]\n"
						"%s\n%s\n",
		bed->list, more, rest);
	bed_write(bed->config, text);
}

void bed_list(const Bed *bed, const char *hosts)
{
	g_auto(GStrv) names = g_strsplit(hosts, " ", -1);
	g_autoptr(GString) text = g_string_new("{");
	for (char **name = names; *name != NULL; name++)
		g_string_append_printf(text, "%s\"%s\": {\"enabled\": true, \"weight\": 10}",
			name == names ? "" : ",\n", *name);
	g_string_append(text, "}\n");
	bed_write(bed->list, text->str);
}

void bed_start(Bed *bed)
{
	g_autoptr(GError) error = NULL;
	bed->director = director_new(&(DirectorOptions){.base = bed->base,
					     .config_path = bed->config,
					     .state_folder = bed->state,
					     .seed = 1},
		&error);
	if (error != NULL)
		fail_msg("%s", error->message);
}

void bed_stop(Bed *bed)
{
	g_clear_pointer(&bed->director, director_free);
	fakes_restart();
}

static void wake(evutil_socket_t unused, short what, void *of)
{
}

void bed_turn(const Bed *bed)
{
	struct event *timer = evtimer_new(bed->base, wake, NULL);
	const struct timeval most = {0, 20000};
	evtimer_add(timer, &most);
	event_base_loop(bed->base, EVLOOP_ONCE);
	event_free(timer);
}

static void turn(const Bed *bed, gint64 *left_ms, const char *what)
{
	if (*left_ms <= 0)
		fail_msg("waited in vain: %s", what);
	gint64 before_ms = clock_monotonic_ms();
	bed_turn(bed);
	*left_ms -= MAX(clock_monotonic_ms() - before_ms, 1);
}

void bed_until_told(Bed *bed, const char *line)
{
	g_autoptr(GString) all = g_string_new("\n");
	g_autofree char *whole = g_strdup_printf("\n%s\n", line);
	for (gint64 left_ms = PATIENCE_MS;;) {
		g_autofree char *told = fakes_told();
		g_string_append(all, told);
		if (strstr(all->str, whole) != NULL)
			return;
		turn(bed, &left_ms, line);
	}
}

char *bed_alert(const Bed *bed, const char *kind)
{
	json_t *status = director_status(bed->director), *alert;
	char *text = NULL;
	size_t i;
	json_array_foreach (json_object_get(status, "alerts"), i, alert) {
		if (strcmp(json_string_value(json_object_get(alert, "kind")), kind) == 0)
			text = g_strdup(json_string_value(json_object_get(alert, "text")));
	}
	json_decref(status);
	return text;
}

void bed_until_alert(Bed *bed, const char *kind, const char *part)
{
	for (gint64 left_ms = PATIENCE_MS;; turn(bed, &left_ms, part != NULL ? part : kind)) {
		g_autofree char *text = bed_alert(bed, kind);
		if (part == NULL ? text == NULL : text != NULL && strstr(text, part) != NULL)
			return;
	}
}

void bed_until_file(Bed *bed, const char *name, const char *part)
{
	g_autofree char *path = g_build_filename(bed->state, name, NULL);
	for (gint64 left_ms = PATIENCE_MS;; turn(bed, &left_ms, name)) {
		g_autofree char *text = NULL;
		if (g_file_get_contents(path, &text, NULL, NULL) && strstr(text, part) != NULL)
			return;
	}
}

static json_t *servers_of(const Bed *bed)
{
	json_t *status = director_status(bed->director);
	json_t *service = json_array_get(json_object_get(status, "services"), 0);
	json_t *servers = json_incref(json_object_get(service, "servers"));
	json_decref(status);
	return servers;
}

json_t *bed_server(const Bed *bed, const char *host)
{
	json_t *servers = servers_of(bed), *server, *found = NULL;
	size_t i;
	json_array_foreach (servers, i, server) {
		if (strcmp(json_string_value(json_object_get(server, "host")), host) == 0)
			found = json_incref(server);
	}
	json_decref(servers);
	return found;
}

char *bed_field(const Bed *bed, const char *host, const char *field)
{
	json_t *server = bed_server(bed, host);
	assert_non_null(server);
	char *text = json_dumps(json_object_get(server, field), JSON_ENCODE_ANY);
	char *copy = g_strdup(text);
	free(text);
	json_decref(server);
	return copy;
}

char *bed_pooled(const Bed *bed)
{
	json_t *servers = servers_of(bed), *server;
	GString *text = g_string_new(NULL);
	size_t i;
	json_array_foreach (servers, i, server) {
		if (json_is_true(json_object_get(server, "pooled")))
			g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "",
				json_string_value(json_object_get(server, "host")));
	}
	json_decref(servers);
	return g_string_free(text, FALSE);
}

void bed_four_servers(Bed *bed)
{
	bed_list(bed, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4");
	bed_start(bed);
	bed_until_told(bed, "announce 192.0.2.1");
	for (int i = 1; i <= 4; i++) {
		g_autofree char *host = g_strdup_printf("10.0.0.%d", i);
		assert_true(fakes_result(host, "ProxyFetch", POOL_RESULT_UP, "200 in 3 ms"));
	}
	g_free(fakes_told());
}
