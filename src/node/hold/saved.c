/* SPDX-License-Identifier: ISC
 *
 * What the next holder has to know, should this one be killed or renewed: which processes are its
 * children. A process is known by number, start time and the host's boot.
 */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "node/hold/holder.h"
#include "node/hold/spawn.h"

#define BOOT_FILE	   "/proc/sys/kernel/random/boot_id"
#define MAXIMUM_BOOT_BYTES 128

static char *path_of(const NodeProduct *product)
{
	return g_build_filename(product->prefix, ".drover", "holder.json", NULL);
}

static json_t *child_json(const Holder *holder, const Child *child)
{
	return json_pack("{s:s, s:i, s:I, s:I, s:s?, s:s?, s:b, s:i}", "kind",
		child_kind_name(child->kind), "pid", (int)child->process, "start",
		(json_int_t)child->start_time, "since", (json_int_t)child->since_us, "version",
		child->version, "address", child->address, "front", child == holder->front,
		"backend", child->backend != NULL ? (int)child->backend->process : 0);
}

void saved_write(const Holder *holder)
{
	g_autofree char *path = path_of(holder->product);
	g_autofree char *boot = file_read(BOOT_FILE, MAXIMUM_BOOT_BYTES, NULL, NULL);
	g_autoptr(GError) failure = NULL;
	json_t *children = json_array();
	for (guint i = 0; i < holder->children->len; i++)
		json_array_append_new(children, child_json(holder, holder->children->pdata[i]));
	json_t *all = json_pack("{s:s?, s:o}", "boot", boot, "children", children);
	g_autofree char *text = json_dumps(all, JSON_INDENT(1));
	json_decref(all);
	if (!file_write(path, text, strlen(text), 0600, &failure))
		log_event(LOG_LEVEL_WARNING, "hold.not-saved", "error", failure->message, NULL);
}

/* The children, a new reference; NULL: none that may live. */
static json_t *read_children(const NodeProduct *product)
{
	g_autofree char *path = path_of(product);
	gsize size_bytes = 0;
	g_autofree char *text = file_read(path, HOLD_MAXIMUM_MESSAGE_BYTES, &size_bytes, NULL);
	g_autofree char *boot = file_read(BOOT_FILE, MAXIMUM_BOOT_BYTES, NULL, NULL);
	json_t *all = text != NULL ? json_loadb(text, size_bytes, 0, NULL) : NULL;
	json_t *children = json_object_get(all, "children");
	const char *then = json_string_value(json_object_get(all, "boot"));
	json_t *found = json_is_array(children) && g_strcmp0(boot, then) == 0
				? json_incref(children)
				: NULL;
	json_decref(all);
	return found;
}

static gint64 number(json_t *object, const char *name)
{
	return (gint64)json_integer_value(json_object_get(object, name));
}

static const char *text(json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

GArray *saved_orphans(const NodeProduct *product)
{
	json_t *children = read_children(product), *each;
	GArray *orphans = g_array_new(FALSE, FALSE, sizeof(int));
	gsize i;
	json_array_foreach (children, i, each) {
		pid_t process = (pid_t)number(each, "pid");
		guint64 start = (guint64)number(each, "start");
		if (process <= 0 || start == 0 || spawn_start_time(process) != start)
			continue;
		int pidfd = (int)syscall(SYS_pidfd_open, process, 0);
		if (pidfd >= 0)
			g_array_append_val(orphans, pidfd);
	}
	json_decref(children);
	return orphans;
}

static Child *find_child(const Holder *holder, pid_t process)
{
	for (guint i = 0; i < holder->children->len; i++) {
		Child *child = holder->children->pdata[i];
		if (child->process == process)
			return child;
	}
	return NULL;
}

static void adopt_one(Holder *holder, json_t *saved)
{
	ChildKind kind = CHILD_SERVICE;
	while (kind < CHILD_FORWARDER && g_strcmp0(text(saved, "kind"), child_kind_name(kind)) != 0)
		kind++;
	Child *child = child_adopt(
		holder, kind, (pid_t)number(saved, "pid"), (guint64)number(saved, "start"));
	if (child == NULL)
		return;
	child->version = g_strdup(text(saved, "version"));
	child->address = g_strdup(text(saved, "address"));
	child->since_us = number(saved, "since");
	if (json_is_true(json_object_get(saved, "front")))
		holder->front = child;
}

void saved_adopt(Holder *holder)
{
	json_t *children = read_children(holder->product), *each;
	gsize i;
	json_array_foreach (children, i, each)
		adopt_one(holder, each);
	json_array_foreach (children, i, each) {
		Child *child = find_child(holder, (pid_t)number(each, "pid"));
		if (child != NULL && number(each, "backend") > 0)
			child->backend = find_child(holder, (pid_t)number(each, "backend"));
	}
	json_decref(children);
}
