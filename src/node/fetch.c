/* SPDX-License-Identifier: ISC
 *
 * Several sources for one file (docs/release.md, "Fetching").
 *
 * First they work together: each goes on where the one before stopped. When the file is whole and
 * its digest is wrong, the one that came last is taken back to where it began, and the next goes
 * on from there. But then it may also have been the head that was wrong, left by another source or
 * by an earlier time. So, when all were asked in vain, those in doubt are asked once more, each for
 * the whole file, alone. One good source is enough, whatever the others do.
 */
#include "node/fetch.h"

#include <string.h>

#include "node/fetch_parts.h"

/* What is known of a source. */
typedef struct Asked {
	gboolean in_doubt; /* it may have been the head: ask it for the whole */
	char *fault;	   /* NULL: not asked yet */
} Asked;

typedef struct Fetching {
	const FetchFrom *from;
	const char *file, *sha256;
	FetchPart part;
	gboolean anew;	 /* what is in the part goes at the first byte that comes */
	guint exchanges; /* with this source, that brought something */
} Fetching;

static void asked_free(gpointer asked)
{
	g_free(((Asked *)asked)->fault);
	g_free(asked);
}

static gboolean fetch_from(const FetchFrom *from, FetchWish *wish, GError **error)
{
	wish->product = from->product;
	wish->ca_file = from->ca_file;
	wish->stall_ms = from->stall_ms;
	return fetch_is_web(wish->source) ? fetch_http(wish, error) : fetch_folder(wish, error);
}

/* a text --------------------------------------------------------------------------------------- */

typedef struct Text {
	GString *bytes;
	gsize maximum_bytes;
} Text;

static FetchTaken take_text(const char *bytes, gsize size_bytes, gpointer of, GError **error)
{
	Text *text = of;
	if (size_bytes > text->maximum_bytes - text->bytes->len) {
		drover_error_set(error, DROVER_ERROR_TOO_LARGE,
			"it is larger than the %" G_GSIZE_FORMAT " bytes allowed",
			text->maximum_bytes);
		return FETCH_TAKEN_FAILED;
	}
	g_string_append_len(text->bytes, bytes, (gssize)size_bytes);
	return FETCH_TAKEN;
}

char *fetch_text(const FetchFrom *from, guint source, const char *file, gsize maximum_bytes,
	gsize *size_bytes, GError **error)
{
	g_assert(source < g_strv_length((char **)from->sources));
	g_autoptr(GString) bytes = g_string_new(NULL);
	Text text = {.bytes = bytes, .maximum_bytes = maximum_bytes};
	FetchWish wish = {.source = from->sources[source],
		.file = file,
		.size_bytes = -1,
		.take = take_text,
		.of = &text};
	if (!fetch_from(from, &wish, error)) {
		g_autofree char *shown = fetch_shown(wish.source);
		g_prefix_error(error, "cannot fetch %s/%s from %s: ", from->product, file, shown);
		return NULL;
	}
	if (size_bytes != NULL)
		*size_bytes = bytes->len;
	return g_string_free(g_steal_pointer(&bytes), FALSE);
}

/* a file from one source ----------------------------------------------------------------------- */

static FetchTaken take_part(const char *bytes, gsize size_bytes, gpointer of, GError **error)
{
	Fetching *fetching = of;
	FetchPart *part = &fetching->part;
	const FetchPart empty = fetch_part_empty(part);
	if (fetching->anew && !fetch_part_cut(part, &empty, error))
		return FETCH_TAKEN_FAILED;
	fetching->anew = FALSE;
	if (!fetch_part_add(part, bytes, size_bytes, error))
		return FETCH_TAKEN_FAILED;
	if (fetching->from->progress != NULL)
		fetching->from->progress(
			fetching->file, part->have_bytes, part->size_bytes, fetching->from->of);
	return fetch_part_is_whole(part) ? FETCH_TAKEN_ENOUGH : FETCH_TAKEN;
}

/* One exchange. FALSE when the part is not whole after it. */
static gboolean ask_once(Fetching *fetching, const char *source, GError **error)
{
	const FetchPart *part = &fetching->part;
	const gint64 before_bytes = fetching->anew ? 0 : part->have_bytes;
	FetchWish wish = {.source = source,
		.file = fetching->file,
		.offset_bytes = before_bytes,
		.size_bytes = part->size_bytes,
		.take = take_part,
		.of = fetching};
	gboolean ok = fetch_from(fetching->from, &wish, error);
	if (!fetching->anew && part->have_bytes > before_bytes)
		fetching->exchanges++;
	if (ok && (fetching->anew || !fetch_part_is_whole(part))) {
		drover_error_set(error, DROVER_ERROR_UNAVAILABLE,
			"ended before it was whole: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT
			" bytes",
			fetching->anew ? 0 : part->have_bytes, part->size_bytes);
		return FALSE;
	}
	return ok;
}

/* As long as each try brings something. */
static gboolean ask(Fetching *fetching, const char *source, GError **error)
{
	fetching->exchanges = 0;
	for (guint try = 1;; try++) {
		g_autoptr(GError) why = NULL;
		if (ask_once(fetching, source, &why))
			return TRUE;
		if (try == FETCH_MAXIMUM_TRIES || fetching->exchanges < try ||
			!drover_error_is(why, DROVER_ERROR_UNAVAILABLE)) {
			g_propagate_error(error, g_steal_pointer(&why));
			return FALSE;
		}
	}
}

/* the sources ---------------------------------------------------------------------------------- */

static void note(Asked *asked, const GError *why)
{
	g_free(asked->fault);
	asked->fault = g_strdup(why->message);
}

/* TRUE when the part is good. Otherwise `asked` says why, or `error` when the disk is at fault. */
static gboolean ask_source(
	Fetching *fetching, const char *source, gboolean alone, Asked *asked, GError **error)
{
	g_autoptr(GError) why = NULL;
	fetching->anew = alone && fetching->part.have_bytes > 0;
	const FetchPart before = alone ? fetch_part_empty(&fetching->part) : fetching->part;
	asked->in_doubt = FALSE;
	if (ask(fetching, source, &why)) {
		if (fetch_part_is_good(&fetching->part, fetching->sha256))
			return TRUE;
		/* In one piece from the beginning, there is nobody else to suspect. */
		asked->in_doubt = before.have_bytes > 0 || fetching->exchanges > 1;
		drover_error_set(&why, DROVER_ERROR_UNAVAILABLE,
			asked->in_doubt ? "what it sent does not fit to what was here before"
					: "it has other bytes than those signed for");
		note(asked, why);
		fetch_part_cut(&fetching->part, &before, error);
		return FALSE;
	}
	if (drover_error_is(why, DROVER_ERROR_INTERNAL)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	asked->in_doubt = drover_error_is(why, DROVER_ERROR_CONFLICT);
	note(asked, why);
	return FALSE;
}

/* Each once. `alone`: only those in doubt, each for the whole. */
static gboolean ask_round(Fetching *fetching, GPtrArray *asked, gboolean alone, GError **error)
{
	for (guint i = 0; i < asked->len; i++) {
		GError *broken = NULL;
		Asked *one = g_ptr_array_index(asked, i);
		if (alone && !one->in_doubt)
			continue;
		if (ask_source(fetching, fetching->from->sources[i], alone, one, &broken))
			return TRUE;
		if (broken != NULL) {
			g_propagate_error(error, broken);
			return FALSE;
		}
	}
	return FALSE;
}

static void refuse(const Fetching *fetching, const GPtrArray *asked, GError **error)
{
	g_autoptr(GString) faults = g_string_new(NULL);
	for (guint i = 0; i < asked->len; i++) {
		const Asked *one = g_ptr_array_index(asked, i);
		g_autofree char *shown = fetch_shown(fetching->from->sources[i]);
		g_string_append_printf(faults, "%s%s: %s", i > 0 ? "; " : "", shown, one->fault);
	}
	drover_error_set(error, DROVER_ERROR_UNAVAILABLE, "cannot fetch %s/%s: %s",
		fetching->from->product, fetching->file,
		asked->len > 0 ? faults->str : "there are no sources to fetch it from");
}

/* The part is open. */
static gboolean ask_all(Fetching *fetching, GError **error)
{
	GError *broken = NULL;
	g_autoptr(GPtrArray) asked = g_ptr_array_new_with_free_func(asked_free);
	for (guint i = 0; fetching->from->sources[i] != NULL; i++)
		g_ptr_array_add(asked, g_new0(Asked, 1));
	if (ask_round(fetching, asked, FALSE, &broken) ||
		(broken == NULL && ask_round(fetching, asked, TRUE, &broken)))
		return TRUE;
	if (broken != NULL)
		g_propagate_error(error, broken);
	else
		refuse(fetching, asked, error);
	return FALSE;
}

static gboolean complete(Fetching *fetching, GError **error)
{
	const FetchPart empty = fetch_part_empty(&fetching->part);
	if (fetch_part_is_good(&fetching->part, fetching->sha256))
		return TRUE;
	if (fetch_part_is_whole(&fetching->part) && !fetch_part_cut(&fetching->part, &empty, error))
		return FALSE;
	return ask_all(fetching, error);
}

gboolean fetch_file(const FetchFrom *from, const char *file, gint64 size_bytes, const char *sha256,
	const char *part_path, GError **error)
{
	Fetching fetching = {.from = from, .file = file, .sha256 = sha256};
	g_assert(size_bytes >= 0 && sha256_is_hex(sha256));
	gboolean ok = fetch_part_open(&fetching.part, part_path, size_bytes, error) &&
		      complete(&fetching, error) && fetch_part_sync(&fetching.part, error);
	fetch_part_close(&fetching.part);
	return ok;
}
