/* SPDX-License-Identifier: ISC
 *
 * Reading commits' messages beside the walk. The walk needs a commit's parents to go on, and takes
 * its time unpacking objects; what stands in the messages is asked only when the walk is done. So
 * the walk hands over what it unpacked in batches, and a thread reads them. What comes out does not
 * depend on the thread: each message is read by itself.
 *
 * A batch goes round: the walk fills it, the thread reads it, the walk gives its objects back to
 * libgit2, which so has one thread only, and fills it again. There are GIT_BATCHES of them, which
 * bounds the memory: a walk that is faster than the thread waits. A scan of less than a batch
 * starts no thread.
 */
#include <string.h>

#include "landing/git_parts.h"

typedef struct Job {
	GitNode *node;
	git_odb_object *raw; /* what `object` points into */
	CommitObject object;
	gboolean keeps_message;
} Job;

typedef struct Batch {
	guint count;
	gsize bytes;
	Job jobs[GIT_BATCH_COMMITS];
} Batch;

struct GitMessages {
	guint patterns;
	GStringChunk *texts; /* the thread's until git_messages_finish() */
	GThread *thread;     /* NULL: none was needed yet */
	Batch *filling;
	GAsyncQueue *full; /* Batch *, for the thread; one without jobs ends it */
	GAsyncQueue *idle; /* Batch *, for the walk */
	Batch *batches;
};

GitMessages *git_messages_new(guint patterns, GStringChunk *texts)
{
	GitMessages *messages = g_new0(GitMessages, 1);
	messages->patterns = patterns;
	messages->texts = texts;
	messages->full = g_async_queue_new();
	messages->idle = g_async_queue_new();
	messages->batches = g_new0(Batch, GIT_BATCHES);
	messages->filling = &messages->batches[0];
	for (gsize i = 1; i < GIT_BATCHES; i++)
		g_async_queue_push(messages->idle, &messages->batches[i]);
	return messages;
}

static const char *keep_name(GStringChunk *texts, CommitSpan name, const char *encoding)
{
	g_autofree char *line = commit_text_line(name, encoding, COMMIT_MAXIMUM_NAME_BYTES);
	return g_string_chunk_insert_const(texts, line);
}

static char *message_text(const CommitObject *object)
{
	return commit_text(object->message, object->encoding, MESSAGE_MAXIMUM_BYTES);
}

static GitCommit *commit_entry(
	GStringChunk *texts, const git_oid *oid, const CommitObject *object, const char *message)
{
	char sha[GIT_SHA_DIGITS + 1];
	git_oid_tostr(sha, sizeof sha, oid);
	g_autofree char *subject = commit_subject(message);
	GitCommit *commit = g_new0(GitCommit, 1);
	commit->sha = g_string_chunk_insert(texts, sha);
	commit->author_name = keep_name(texts, object->author_name, object->encoding);
	commit->author_email = keep_name(texts, object->author_email, object->encoding);
	commit->authored_us = object->authored_us;
	commit->subject = g_string_chunk_insert(texts, subject);
	commit->is_merge = object->parent_count > 1;
	return commit;
}

GitCommit *git_commit_entry(GStringChunk *texts, const git_oid *oid, const CommitObject *object)
{
	g_autofree char *message = message_text(object);
	return commit_entry(texts, oid, object, message);
}

static void read_message(GitMessages *messages, const Job *job)
{
	GitNode *node = job->node;
	g_autofree char *message = message_text(&job->object);
	node->commit = commit_entry(messages->texts, &node->oid, &job->object, message);
	node->facts = message_read(message, strlen(message), messages->patterns);
	if (job->object.message.size > MESSAGE_MAXIMUM_BYTES)
		g_ptr_array_add(node->facts->problems,
			g_strdup_printf("the message is longer than %d bytes: the rest is not read",
				MESSAGE_MAXIMUM_BYTES));
	if (job->keeps_message)
		node->message = g_steal_pointer(&message);
}

static void read_batch(GitMessages *messages, const Batch *batch)
{
	for (guint i = 0; i < batch->count; i++)
		read_message(messages, &batch->jobs[i]);
}

static gpointer read_batches(gpointer of)
{
	GitMessages *messages = of;
	for (;;) {
		Batch *batch = g_async_queue_pop(messages->full);
		gboolean is_last = batch->count == 0;
		read_batch(messages, batch);
		g_async_queue_push(messages->idle, batch);
		if (is_last)
			return NULL;
	}
}

static void empty_batch(Batch *batch)
{
	for (guint i = 0; i < batch->count; i++)
		git_odb_object_free(batch->jobs[i].raw);
	batch->count = 0;
	batch->bytes = 0;
}

/* Where no thread can be had, the walk reads the messages itself. */
static void hand_over(GitMessages *messages)
{
	if (messages->thread == NULL)
		messages->thread = g_thread_try_new("messages", read_batches, messages, NULL);
	if (messages->thread == NULL) {
		read_batch(messages, messages->filling);
	} else {
		g_async_queue_push(messages->full, messages->filling);
		messages->filling = g_async_queue_pop(messages->idle);
	}
	empty_batch(messages->filling);
}

void git_messages_add(GitMessages *messages, GitNode *node, git_odb_object *raw,
	const CommitObject *object, gboolean keeps_message)
{
	Batch *batch = messages->filling;
	batch->jobs[batch->count++] = (Job){node, raw, *object, keeps_message};
	batch->bytes += git_odb_object_size(raw);
	if (batch->count == GIT_BATCH_COMMITS || batch->bytes >= GIT_BATCH_BYTES)
		hand_over(messages);
}

void git_messages_finish(GitMessages *messages)
{
	if (messages->thread == NULL) {
		read_batch(messages, messages->filling);
	} else {
		if (messages->filling->count > 0)
			hand_over(messages);
		g_async_queue_push(messages->full, messages->filling);
		g_thread_join(g_steal_pointer(&messages->thread));
	}
	for (gsize i = 0; i < GIT_BATCHES; i++)
		empty_batch(&messages->batches[i]);
}

void git_messages_free(GitMessages *messages)
{
	if (messages == NULL)
		return;
	if (messages->thread != NULL)
		git_messages_finish(messages);
	for (gsize i = 0; i < GIT_BATCHES; i++)
		empty_batch(&messages->batches[i]);
	g_async_queue_unref(messages->full);
	g_async_queue_unref(messages->idle);
	g_free(messages->batches);
	g_free(messages);
}
