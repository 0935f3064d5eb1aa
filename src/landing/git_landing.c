/* SPDX-License-Identifier: ISC
 *
 * What the messages of a landing's commits say together (docs/messages.md, "A landing of several
 * commits"). The first-parent commit speaks for the whole landing; where it is silent, a claim that
 * relieves of QA counts only when every commit that brings a change makes it.
 */
#include <string.h>

#include "landing/git_parts.h"

void git_landing_free(gpointer pointer)
{
	GitLanding *landing = pointer;
	g_free(landing->message);
	g_ptr_array_unref(landing->items);
	g_clear_pointer(&landing->message_states, g_hash_table_unref);
	g_ptr_array_unref(landing->rollbacks);
	g_ptr_array_unref(landing->fixes);
	g_ptr_array_unref(landing->notes);
	g_ptr_array_unref(landing->commits);
	g_free(landing);
}

static GitLanding *landing_new(const GitNode *head)
{
	GitLanding *landing = g_new0(GitLanding, 1);
	landing->sha = head->commit->sha;
	landing->subject = head->commit->subject;
	landing->landed_us = head->committed_us;
	landing->items = g_ptr_array_new_with_free_func(g_free);
	landing->rollbacks = g_ptr_array_new_with_free_func(g_free);
	landing->fixes = g_ptr_array_new_with_free_func(g_free);
	landing->notes = g_ptr_array_new_with_free_func(g_free);
	landing->commits = g_ptr_array_new_with_free_func(g_free);
	return landing;
}

/* What one message says of QA. */
static LandingQa said_qa(const MessageFacts *facts, gboolean authors_may_rule)
{
	return facts->says_ok && authors_may_rule ? LANDING_QA_OK : facts->qa;
}

/* Of two claims that both count, the weaker: required, then incr, then no-qa, then ok. */
static LandingQa weaker(LandingQa a, LandingQa b)
{
	const LandingQa order[] = {LANDING_QA_REQUIRED, LANDING_QA_INCR, LANDING_QA_NO_QA};
	for (gsize i = 0; i < G_N_ELEMENTS(order); i++) {
		if (a == order[i] || b == order[i])
			return order[i];
	}
	return LANDING_QA_OK;
}

static LandingQa combine_qa(const GPtrArray *nodes, gboolean authors_may_rule)
{
	const GitNode *head = nodes->pdata[0];
	LandingQa own = said_qa(head->facts, authors_may_rule);
	if (own != LANDING_QA_REQUIRED)
		return own;
	LandingQa all = LANDING_QA_REQUIRED;
	gboolean any = FALSE;
	for (guint i = 0; i < nodes->len; i++) {
		const GitNode *node = nodes->pdata[i];
		if (node->commit->is_merge)
			continue;
		LandingQa said = said_qa(node->facts, authors_may_rule);
		all = any ? weaker(all, said) : said;
		any = TRUE;
	}
	return all;
}

static gboolean contains(const GPtrArray *texts, const char *text)
{
	for (guint i = 0; i < texts->len; i++) {
		if (g_str_equal(texts->pdata[i], text))
			return TRUE;
	}
	return FALSE;
}

static void note(GitLanding *landing, const GitNode *node, const char *text)
{
	char *line = landing->commits->len > 1
			     ? g_strdup_printf("commit %.12s: %s", node->commit->sha, text)
			     : g_strdup(text);
	if (contains(landing->notes, line) || landing->notes->len >= MESSAGE_MAXIMUM_PROBLEMS)
		g_free(line);
	else
		g_ptr_array_add(landing->notes, line);
}

static gboolean names_items(const GPtrArray *nodes)
{
	for (guint i = 0; i < nodes->len; i++) {
		if (((const GitNode *)nodes->pdata[i])->facts->items->len)
			return TRUE;
	}
	return FALSE;
}

static ItemState ruled_state(const MessageFacts *facts, gboolean authors_may_rule)
{
	if (facts->untestable)
		return ITEM_UNTESTABLE;
	return facts->says_ok && authors_may_rule ? ITEM_OK : ITEM_UNRULED;
}

/* The union of the items. A commit's QA: trailer rules on the items it names, a merge's on all; an
 * item that another commit names without ruling on it stays open. */
static void combine_items(GitLanding *landing, const GPtrArray *nodes, gboolean authors_may_rule)
{
	if (!names_items(nodes))
		return;
	GHashTable *states = g_hash_table_new(g_str_hash, g_str_equal);
	landing->message_states = states;
	const GitNode *head = nodes->pdata[0];
	for (guint i = 0; i < nodes->len; i++) {
		const GitNode *node = nodes->pdata[i];
		ItemState said = ruled_state(node->facts, authors_may_rule);
		for (guint j = 0; j < node->facts->items->len; j++) {
			gpointer known = NULL, key = NULL;
			char *item = node->facts->items->pdata[j];
			if (!g_hash_table_lookup_extended(states, item, &key, &known)) {
				char *copy = g_strdup(item);
				g_ptr_array_add(landing->items, copy);
				g_hash_table_insert(states, copy, GINT_TO_POINTER(said));
			} else if (GPOINTER_TO_INT(known) != (int)said) {
				gboolean open = !known || said == ITEM_UNRULED;
				g_hash_table_insert(states, key,
					GINT_TO_POINTER(open ? ITEM_UNRULED : ITEM_UNTESTABLE));
			}
		}
	}
	ItemState for_all =
		head->commit->is_merge ? ruled_state(head->facts, authors_may_rule) : ITEM_UNRULED;
	for (guint i = 0; for_all != ITEM_UNRULED && i < landing->items->len; i++)
		g_hash_table_insert(states, landing->items->pdata[i], GINT_TO_POINTER(for_all));
}

typedef struct Target {
	gboolean resolved;
	gboolean within; /* a commit of this same landing */
	char sha[GIT_SHA_DIGITS + 1];
	const char *why; /* not resolved */
} Target;

static Target find_target(
	GitWalk *walk, GitRepository *repository, const MessageReference *reference, gint32 landing)
{
	Target target = {0};
	git_oid oid;
	if (!git_resolve(repository, reference->text, &oid, &target.why))
		return target;
	const GitNode *node = git_walk_known(walk, &oid);
	target.resolved = TRUE;
	target.within = node && node->owner == landing;
	git_oid_tostr(target.sha, sizeof target.sha, &oid);
	return target;
}

static void add_target(GitLanding *landing, GPtrArray *targets, const char *text)
{
	if (!contains(targets, text) && targets->len < MESSAGE_MAXIMUM_REFERENCES)
		g_ptr_array_add(targets, g_strdup(text));
}

/* A reference that resolves becomes a full SHA. One that does not stays as it is written, with a
 * note, unless it was only `Fixes: SHA`, which may have been no reference at all. */
static void add_reference(GitLanding *landing, GitWalk *walk, GitRepository *repository,
	const GitNode *node, const MessageReference *reference, GPtrArray *targets)
{
	gboolean rollback = targets == landing->rollbacks;
	if (reference->ordinal && strlen(reference->text) < MESSAGE_MINIMUM_SHA) {
		add_target(landing, targets, reference->text);
		return;
	}
	Target target = find_target(walk, repository, reference, node->owner);
	g_autofree char *text = NULL;
	if (target.resolved && target.within) {
		text = g_strdup_printf("%s %.12s, a commit of this same landing: nothing to %s",
			rollback ? "reverts" : "fixes", target.sha, rollback ? "roll back" : "fix");
	} else if (target.resolved) {
		add_target(landing, targets, target.sha);
	} else {
		if (!reference->tentative)
			add_target(landing, targets, reference->text);
		if (!reference->ordinal)
			text = g_strdup_printf("%s \"%s\", which %s",
				rollback ? "rolls back" : "fixes", reference->text, target.why);
	}
	if (text && !(target.within && reference->tentative))
		note(landing, node, text);
}

static gboolean is_within(GitWalk *walk, GitRepository *repository, const GitNode *node,
	const MessageReference *reference)
{
	return !reference->ordinal && find_target(walk, repository, reference, node->owner).within;
}

/* A rollback owes no QA of its own. So a revert counts only where every change of the landing is
 * one, or the landing's own message says it: otherwise one revert would carry the rest of a merge
 * past QA. */
static gboolean rolls_back_only(const GPtrArray *nodes)
{
	for (guint i = 0; i < nodes->len; i++) {
		const GitNode *node = nodes->pdata[i];
		if (!node->commit->is_merge && node->facts->rollbacks->len == 0)
			return FALSE;
	}
	return TRUE;
}

static void combine_references(
	GitLanding *landing, GitWalk *walk, GitRepository *repository, const GPtrArray *nodes)
{
	gboolean only_rollbacks = rolls_back_only(nodes);
	for (guint i = 0; i < nodes->len; i++) {
		const GitNode *node = nodes->pdata[i];
		const MessageFacts *facts = node->facts;
		gboolean counts = i == 0 || only_rollbacks;
		for (guint j = 0; j < facts->rollbacks->len; j++) {
			const MessageReference *reference = facts->rollbacks->pdata[j];
			if (counts || is_within(walk, repository, node, reference))
				add_reference(landing, walk, repository, node, reference,
					landing->rollbacks);
			else
				note(landing, node,
					"reverts something beside other work: rolls back nothing, "
					"unless the landing's own message says it ([rollback=…])");
		}
		for (guint j = 0; j < facts->fixes->len; j++)
			add_reference(landing, walk, repository, node, facts->fixes->pdata[j],
				landing->fixes);
		for (guint j = 0; j < facts->problems->len; j++)
			note(landing, node, facts->problems->pdata[j]);
	}
}

/* For a merge the newest commit it brought that is no merge, or the newest at all; else the commit
 * itself. */
static const GitCommit *author_commit(const GPtrArray *nodes)
{
	const GitNode *head = nodes->pdata[0];
	const GitCommit *merge = NULL;
	for (guint i = head->commit->is_merge ? 1 : 0; i < nodes->len; i++) {
		const GitNode *node = nodes->pdata[i];
		if (!node->commit->is_merge)
			return node->commit;
		merge = merge ? merge : node->commit;
	}
	return merge ? merge : head->commit;
}

GitLanding *git_landing_build(
	GitWalk *walk, GitRepository *repository, const GPtrArray *nodes, gboolean authors_may_rule)
{
	GitNode *head = nodes->pdata[0];
	GitLanding *landing = landing_new(head);
	landing->message = g_steal_pointer(&head->message);
	for (guint i = 0; i < nodes->len; i++) {
		GitNode *node = nodes->pdata[i];
		g_ptr_array_add(landing->commits, node->commit);
		node->is_built = TRUE;
		landing->changes += node->commit->is_merge ? 0 : 1;
	}
	const GitCommit *author = author_commit(nodes);
	landing->author_name = author->author_name;
	landing->author_email = author->author_email;
	landing->qa = combine_qa(nodes, authors_may_rule);
	combine_items(landing, nodes, authors_may_rule);
	combine_references(landing, walk, repository, nodes);
	for (guint i = 0; i < nodes->len; i++)
		g_clear_pointer(&((GitNode *)nodes->pdata[i])->facts, message_facts_free);
	return landing;
}
