/* SPDX-License-Identifier: ISC
 *
 * Which landing owns which commit. The first-parent line is read once, newest first. Then its
 * commits are visited oldest first, and each takes what can be reached through its other parents
 * and is not taken yet: so every commit goes to the first landing from which it can be reached, and
 * is looked at once (docs/landing.md).
 *
 * Every commit is read once, as raw bytes, and its message is read soon after (git_messages.c);
 * only what the landing keeps is kept.
 */
#include <string.h>

#include "landing/git_parts.h"

struct GitWalk {
	GitRepository *repository;
	const GitScanOptions *options;
	GStringChunk *texts; /* the scan's; of `messages` until they are finished */
	GitMessages *messages;
	GHashTable *nodes; /* git_oid of the node -> GitNode */
	gboolean history_marked;
};

static guint oid_hash(gconstpointer oid)
{
	guint hash = 0;
	memcpy(&hash, ((const git_oid *)oid)->id, sizeof hash);
	return hash;
}

static gboolean oid_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(git_oid)) == 0;
}

static void node_free(gpointer pointer)
{
	GitNode *node = pointer;
	if (!node->is_built)
		g_free(node->commit);
	message_facts_free(node->facts);
	g_free(node->parents);
	g_free(node->message);
	g_free(node);
}

GitWalk *git_walk_new(GitRepository *repository, const GitScanOptions *options, GStringChunk *texts)
{
	GitWalk *walk = g_new0(GitWalk, 1);
	walk->repository = repository;
	walk->options = options;
	walk->texts = texts;
	walk->messages = git_messages_new(options->item_patterns, texts);
	walk->nodes = g_hash_table_new_full(oid_hash, oid_equal, NULL, node_free);
	return walk;
}

void git_walk_free(GitWalk *walk)
{
	if (!walk)
		return;
	git_messages_free(walk->messages); /* first: it may be at work on the nodes */
	g_hash_table_unref(walk->nodes);
	g_free(walk);
}

void git_walk_finish_messages(GitWalk *walk)
{
	git_messages_finish(walk->messages);
}

const GitScanOptions *git_walk_options(const GitWalk *walk)
{
	return walk->options;
}

char *git_sha(const git_oid *oid)
{
	char *sha = g_malloc(GIT_SHA_DIGITS + 1);
	git_oid_fmt(sha, oid);
	sha[GIT_SHA_DIGITS] = 0;
	return sha;
}

GitNode *git_walk_known(const GitWalk *walk, const git_oid *oid)
{
	return g_hash_table_lookup(walk->nodes, oid);
}

/* *object points into what is returned: git_odb_object_free() it. NULL on error. */
static git_odb_object *read_object(
	GitWalk *walk, const git_oid *oid, CommitObject *object, GError **error)
{
	git_odb_object *raw = NULL;
	if (git_odb_read(&raw, walk->repository->odb, oid) < 0) {
		git_set_read_error(walk->repository, oid, error);
		return NULL;
	}
	if (git_odb_object_type(raw) == GIT_OBJECT_COMMIT &&
		commit_object_parse(git_odb_object_data(raw), git_odb_object_size(raw), object))
		return raw;
	git_odb_object_free(raw);
	git_error_set_str(GIT_ERROR_ODB, "it is no well-formed commit");
	git_set_read_error(walk->repository, oid, error);
	return NULL;
}

static GitNode *add_node(
	GitWalk *walk, const git_oid *oid, const CommitObject *object, gint32 owner)
{
	GitNode *node = g_new0(GitNode, 1);
	node->oid = *oid;
	node->owner = owner;
	node->committed_us = object->committed_us;
	node->parent_count = object->parent_count;
	node->parents = g_new(git_oid, object->parent_count);
	for (guint i = 0; i < object->parent_count; i++)
		git_oid_fromstrn(
			&node->parents[i], commit_object_parent(object, i), GIT_SHA_DIGITS);
	g_hash_table_insert(walk->nodes, &node->oid, node);
	return node;
}

GitCommit *git_walk_read_commit(GitWalk *walk, const git_oid *oid, GError **error)
{
	CommitObject object;
	git_odb_object *raw = read_object(walk, oid, &object, error);
	if (!raw)
		return NULL;
	GitCommit *commit = git_commit_entry(walk->texts, oid, &object);
	git_odb_object_free(raw);
	return commit;
}

/* A commit of one of this scan's landings; what its message says is there when the messages are
 * finished. */
static GitNode *read_node(
	GitWalk *walk, const git_oid *oid, gint32 owner, gboolean keep_message, GError **error)
{
	CommitObject object;
	git_odb_object *raw = read_object(walk, oid, &object, error);
	if (!raw)
		return NULL;
	GitNode *node = add_node(walk, oid, &object, owner);
	git_messages_add(walk->messages, node, raw, &object, keep_message);
	return node;
}

/* A commit of which only the place in history matters. */
static GitNode *read_place(GitWalk *walk, const git_oid *oid, gint32 owner, GError **error)
{
	CommitObject object;
	git_odb_object *raw = read_object(walk, oid, &object, error);
	if (!raw)
		return NULL;
	GitNode *node = add_node(walk, oid, &object, owner);
	git_odb_object_free(raw);
	return node;
}

/* Marks everything that can be reached from `since`, for callers without is_known. */
static gboolean mark_history(GitWalk *walk, const git_oid *since, GError **error)
{
	g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(git_oid));
	g_array_append_val(stack, *since);
	walk->history_marked = TRUE;
	while (stack->len) {
		git_oid oid = g_array_index(stack, git_oid, stack->len - 1);
		g_array_set_size(stack, stack->len - 1);
		if (git_walk_known(walk, &oid))
			continue;
		GitNode *node = read_place(walk, &oid, OWNER_EARLIER, error);
		if (!node)
			return FALSE;
		g_array_append_vals(stack, node->parents, node->parent_count);
	}
	return TRUE;
}

/* Is the commit, which this scan has not met, owned by a landing of an earlier one? */
static gboolean ask_earlier(GitWalk *walk, const git_oid *oid, gboolean *earlier, GError **error)
{
	const GitScanOptions *options = walk->options;
	*earlier = FALSE;
	if (!options->since)
		return TRUE;
	char sha[GIT_SHA_DIGITS + 1];
	git_oid_tostr(sha, sizeof sha, oid);
	if (options->is_known) {
		*earlier = g_str_equal(sha, options->since) ||
			   options->is_known(sha, options->is_known_of);
		return TRUE;
	}
	git_oid since;
	git_oid_fromstr(&since, options->since);
	if (!walk->history_marked && !mark_history(walk, &since, error))
		return FALSE;
	*earlier = git_walk_known(walk, oid) != NULL;
	return TRUE;
}

GPtrArray *git_walk_line(GitWalk *walk, const git_oid *tip, gboolean *rewritten, GError **error)
{
	git_oid since = {0}, oid = *tip;
	const char *stored = walk->options->since;
	*rewritten = stored &&
		     (strlen(stored) != GIT_SHA_DIGITS || git_oid_fromstr(&since, stored) < 0 ||
			     !git_odb_exists(walk->repository->odb, &since));
	if (*rewritten)
		return NULL;
	g_autoptr(GPtrArray) line = g_ptr_array_new();
	while (!stored || !git_oid_equal(&oid, &since)) {
		GitNode *node = read_node(walk, &oid, OWNER_UNREAD, TRUE, error);
		if (!node)
			return NULL;
		g_ptr_array_add(line, node);
		if (line->len > GIT_MAXIMUM_LANDINGS) {
			drover_error_set(error, DROVER_ERROR_TOO_LARGE,
				"the branch of %s has more than %d commits on its first-parent "
				"line",
				walk->repository->path, GIT_MAXIMUM_LANDINGS);
			return NULL;
		}
		if (walk->options->progress && line->len % 1000 == 0)
			walk->options->progress(line->len, walk->options->progress_of);
		if (node->parent_count == 0 && stored) {
			*rewritten = TRUE;
			return NULL;
		}
		if (node->parent_count == 0)
			break;
		oid = node->parents[0];
	}
	return g_steal_pointer(&line);
}

static gint newest_first(gconstpointer a, gconstpointer b, gpointer of)
{
	const GitNode *const *left = a, *const *right = b;
	if ((*left)->committed_us == (*right)->committed_us)
		return 0;
	return (*left)->committed_us < (*right)->committed_us ? 1 : -1;
}

/* The head stays first. The sort is stable: commits of one second stay in the order of the history.
 */
static void sort_newest_first(GPtrArray *nodes)
{
	if (nodes->len > 2)
		g_qsort_with_data(nodes->pdata + 1, (gint)nodes->len - 1, sizeof(gpointer),
			newest_first, NULL);
}

GPtrArray *git_walk_own(GitWalk *walk, GitNode *head, gint32 landing, GError **error)
{
	g_autoptr(GPtrArray) owned = g_ptr_array_new();
	head->owner = landing;
	g_ptr_array_add(owned, head);
	if (head->parent_count < 2)
		return g_steal_pointer(&owned);
	g_autoptr(GArray) stack = g_array_new(FALSE, FALSE, sizeof(git_oid));
	for (guint i = head->parent_count; i > 1; i--)
		g_array_append_val(stack, head->parents[i - 1]);
	while (stack->len) {
		git_oid oid = g_array_index(stack, git_oid, stack->len - 1);
		g_array_set_size(stack, stack->len - 1);
		gboolean earlier = FALSE;
		if (git_walk_known(walk, &oid))
			continue;
		if (!ask_earlier(walk, &oid, &earlier, error))
			return NULL;
		if (earlier)
			continue;
		GitNode *node = read_node(walk, &oid, landing, FALSE, error);
		if (!node)
			return NULL;
		g_ptr_array_add(owned, node);
		for (guint i = node->parent_count; i > 0; i--)
			g_array_append_val(stack, node->parents[i - 1]);
	}
	sort_newest_first(owned);
	return g_steal_pointer(&owned);
}

GitNode *git_walk_look(GitWalk *walk, const git_oid *oid, GError **error)
{
	gboolean earlier = FALSE;
	GitNode *node = git_walk_known(walk, oid);
	if (node)
		return node;
	if (!ask_earlier(walk, oid, &earlier, error))
		return NULL;
	node = git_walk_known(walk, oid); /* asking may have read it */
	return node ? node : read_place(walk, oid, earlier ? OWNER_EARLIER : OWNER_NONE, error);
}
