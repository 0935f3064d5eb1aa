/* SPDX-License-Identifier: ISC
 *
 * The index as text. What parses is written again and compared, so there is one spelling only.
 */
#include "release/index.h"

#include <string.h>

#include "base/clock.h"
#include "base/format.h"
#include "release/manifest.h"
#include "release/trust_parts.h"

static void index_release_free(gpointer pointer)
{
	IndexRelease *release = pointer;
	g_free(release->version);
	g_free(release);
}

Index *index_new(const char *product)
{
	Index *index = g_new0(Index, 1);
	index->product = g_strdup(product);
	index->releases = g_ptr_array_new_with_free_func(index_release_free);
	index->revoked = g_array_new(FALSE, FALSE, sizeof(KeyId));
	return index;
}

void index_free(Index *index)
{
	if (index == NULL)
		return;
	g_free(index->product);
	g_ptr_array_unref(index->releases);
	g_array_unref(index->revoked);
	g_free(index);
}

void index_add(Index *index, gint64 sequence, const char *version, const char *sha256)
{
	IndexRelease *release = g_new0(IndexRelease, 1);
	release->sequence = sequence;
	release->version = g_strdup(version);
	g_strlcpy(release->sha256, sha256, sizeof release->sha256);
	g_ptr_array_add(index->releases, release);
	index->newest = MAX(index->newest, sequence);
}

const IndexRelease *index_find(const Index *index, const char *version)
{
	for (guint i = 0; i < index->releases->len; i++) {
		const IndexRelease *release = index->releases->pdata[i];
		if (strcmp(release->version, version) == 0)
			return release;
	}
	return NULL;
}

static int compare_releases(gconstpointer a, gconstpointer b)
{
	const IndexRelease *one = *(const IndexRelease *const *)a;
	const IndexRelease *other = *(const IndexRelease *const *)b;
	if (one->sequence != other->sequence)
		return one->sequence > other->sequence ? -1 : 1;
	return 0;
}

static char *write_text(Index *index)
{
	g_autofree char *issued = format_time(index->issued_us);
	g_autofree char *expires = format_time(index->expires_us);
	GString *text = g_string_new("drover-index 1\n");
	g_string_append_printf(text,
		"product %s\nissued %s\nexpires %s\nnewest %" G_GINT64_FORMAT "\n", index->product,
		issued, expires, index->newest);
	g_ptr_array_sort(index->releases, compare_releases);
	for (guint i = 0; i < index->releases->len; i++) {
		const IndexRelease *release = index->releases->pdata[i];
		g_string_append_printf(text, "release %" G_GINT64_FORMAT " %s %s\n",
			release->sequence, release->version, release->sha256);
	}
	revoked_write(index->revoked, text);
	return g_string_free(text, FALSE);
}

char *index_text(Index *index, GError **error)
{
	g_autofree char *text = write_text(index);
	g_autoptr(Index) again = index_parse("index", text, strlen(text), error);
	return again != NULL ? g_steal_pointer(&text) : NULL;
}

/* One line of the head: its word. NULL after an error. Caller frees. */
static char *read_word(Lines *lines, const char *first)
{
	g_auto(GStrv) words = lines_words(lines, first, 1);
	return words != NULL ? g_strdup(words[1]) : NULL;
}

static void read_time(Lines *lines, const char *first, gint64 *time_us)
{
	g_autofree char *word = read_word(lines, first);
	if (word != NULL && !parse_time(word, time_us, NULL))
		lines_fail(lines, "the instant cannot be read");
}

static gboolean read_sequence(const char *word, gint64 minimum, gint64 *sequence)
{
	return parse_integer(word, "sequence", minimum, MANIFEST_MAXIMUM_NUMBER, sequence, NULL);
}

static void read_head(Lines *lines, Index *index)
{
	g_auto(GStrv) format = lines_words(lines, "drover-index", 1);
	if (format != NULL && strcmp(format[1], "1") != 0)
		lines_fail(lines, "of a format that this Drover does not know");
	index->product = read_word(lines, "product");
	if (index->product != NULL && !manifest_check_name("product", index->product, NULL))
		lines_fail(lines, "the product's name is not allowed");
	read_time(lines, "issued", &index->issued_us);
	read_time(lines, "expires", &index->expires_us);
	gint64 life_us = index->expires_us - index->issued_us;
	if (life_us <= 0 || life_us > INDEX_MAXIMUM_LIFE_DAYS * US_PER_DAY)
		lines_fail(lines, "must expire after it was issued, within a year");
	g_autofree char *newest = read_word(lines, "newest");
	if (newest != NULL && !read_sequence(newest, 0, &index->newest))
		lines_fail(lines, "the newest sequence must be a number");
}

static void read_release(Lines *lines, Index *index, GHashTable *versions)
{
	g_auto(GStrv) words = lines_words(lines, "release", 3);
	if (words == NULL)
		return;
	gint64 below = index->newest + 1, sequence;
	if (index->releases->len > 0)
		below = ((const IndexRelease *)index->releases->pdata[index->releases->len - 1])
				->sequence;
	if (!read_sequence(words[1], 1, &sequence) || sequence >= below)
		lines_fail(lines, "sequences must be numbers that fall from 'newest' on");
	else if (!manifest_check_name("version", words[2], NULL))
		lines_fail(lines, "the version is not allowed");
	else if (!g_hash_table_add(versions, g_strdup(words[2])))
		lines_fail(lines, "the version was there before");
	else if (!sha256_is_hex(words[3]))
		lines_fail(lines, "the manifest's digest must be 64 small hexadecimal digits");
	else if (index->releases->len == INDEX_MAXIMUM_RELEASES)
		lines_fail(lines, "more releases than are allowed");
	else
		index_add(index, sequence, words[2], words[3]);
}

Index *index_parse(const char *name, const char *text, gsize size_bytes, GError **error)
{
	if (size_bytes > INDEX_MAXIMUM_BYTES) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"%s is larger than the %d bytes of an index", name, INDEX_MAXIMUM_BYTES);
		return NULL;
	}
	g_autoptr(Index) index = index_new(NULL);
	g_autoptr(GHashTable) versions =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_auto(Lines) lines = lines_of(name, text, size_bytes);
	read_head(&lines, index);
	while (lines_next_is(&lines, "release"))
		read_release(&lines, index, versions);
	revoked_read(&lines, index->revoked);
	if (!lines_finish(&lines, error))
		return NULL;
	g_autofree char *again = write_text(index);
	if (lines_are(name, text, size_bytes, again, error))
		return g_steal_pointer(&index);
	return NULL;
}
