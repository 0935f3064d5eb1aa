/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a git commit object: never a fault, spans that lie inside, texts that are UTF-8
 * without control characters.
 */
#include <stdint.h>
#include <string.h>

#include "landing/commit_object.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_text(char *text, gsize maximum_bytes)
{
	g_assert(g_utf8_validate(text, -1, NULL));
	g_assert_cmpuint(strlen(text), <=, maximum_bytes);
	for (const char *at = text; *at; at = g_utf8_next_char(at)) {
		gunichar character = g_utf8_get_char(at);
		g_assert(character >= ' ' || character == '\n' || character == '\t');
		g_assert(character < 0x7f || character >= 0xa0);
	}
	g_free(text);
}

static void check_span(CommitSpan span, const uint8_t *bytes, size_t size)
{
	const char *start = (const char *)bytes;
	g_assert(span.bytes >= start && span.bytes + span.size <= start + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	CommitObject object;
	if (!commit_object_parse((const char *)bytes, size, &object))
		return 0;
	check_span(object.parents, bytes, size);
	check_span(object.author_name, bytes, size);
	check_span(object.author_email, bytes, size);
	check_span(object.message, bytes, size);
	for (guint i = 0; i < object.parent_count; i++)
		check_span((CommitSpan){commit_object_parent(&object, i), 40}, bytes, size);
	g_assert(object.authored_us >= 0 && object.committed_us >= 0);
	check_text(commit_text_line(object.author_name, object.encoding, 64), 64);
	check_text(commit_text_line(object.author_email, object.encoding, 64), 64);
	g_autofree char *message = commit_text(object.message, object.encoding, 500);
	check_text(commit_subject(message), COMMIT_MAXIMUM_SUBJECT_BYTES);
	check_text(g_steal_pointer(&message), 500);
	return 0;
}
