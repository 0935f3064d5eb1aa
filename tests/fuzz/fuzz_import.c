/* SPDX-License-Identifier: ISC
 *
 * Landings as JSON from anyone, imported into a store: refused in words, or stored so that the book
 * can load them, and the same import once more changes nothing. A list of lists is imported list by
 * list. Everything is taken back, so each input meets the same store.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "landing/book.h"
#include "landing/import.h"
#include "wire/json.h"

#define NOW_US (G_GINT64_CONSTANT(1795262400) * US_PER_SECOND)

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes);

/* One for the process. */
static char *folder;
static Store *store;

static void must(gboolean done, const GError *error)
{
	if (!done)
		g_error("%s", error->message);
}

static gboolean add_product(Store *into, gpointer of, GError **error)
{
	g_autoptr(Product) product = product_new("web");
	return product_insert(into, product, error);
}

static void close_store(void)
{
	store_close(store);
	file_remove(folder, NULL);
	g_free(folder);
}

static void open_store(void)
{
	g_autoptr(GError) error = NULL;
	folder = g_dir_make_tmp("drover-fuzz-XXXXXX", &error);
	must(folder != NULL, error);
	g_autofree char *url = g_strdup_printf("sqlite:%s/store.db", folder);
	store = store_open(url, &error);
	must(store != NULL && store_migrate(store, &error), error);
	must(store_write(store, add_product, NULL, &error), error);
	atexit(close_store);
}

typedef struct Step {
	const json_t *landings;
	ImportOutcome outcome;
} Step;

static gboolean import(Store *into, gpointer of, GError **error)
{
	Step *step = of;
	g_autoptr(LandingBooks) books = landing_books_new();
	g_autoptr(LandingBook) book = landing_books_take(books, into, "web", error);
	return book != NULL &&
	       landing_import(into, book, step->landings, NOW_US, "fuzz", &step->outcome, error);
}

/* What is stored can be loaded, and asked for everything that pages show. */
static guint check_book(void)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(LandingBooks) books = landing_books_new();
	g_autoptr(LandingBook) book = landing_books_take(books, store, "web", &error);
	must(book != NULL, error);
	DeployableIndex *index = landing_book_index(book);
	for (guint i = 0; i < landing_book_count(book); i++) {
		const BookLanding *landing = landing_book_at(book, i);
		g_assert(landing_book_find(book, landing->ordinal) == landing);
		g_assert(landing->revision != NULL && landing->subject != NULL);
		landing_book_waits(book, landing);
	}
	g_assert_nonnull(landing_book_digest(book));
	gint64 newest = deployable_index_newest(index);
	g_assert(newest == 0 || landing_book_find(book, newest) != NULL);
	return landing_book_count(book);
}

static gboolean import_list(const json_t *landings)
{
	g_autoptr(GError) error = NULL;
	Step first = {.landings = landings}, again = {.landings = landings};
	guint before = check_book();
	if (!store_write(store, import, &first, &error)) {
		g_assert(error->domain == DROVER_ERROR && error->code != DROVER_ERROR_INTERNAL);
		g_assert(g_utf8_validate(error->message, -1, NULL));
		g_assert_cmpuint(check_book(), ==, before);
		return FALSE;
	}
	g_assert_cmpint(check_book(), ==, before + first.outcome.new_landings);
	must(store_write(store, import, &again, &error), error);
	g_assert_cmpint(again.outcome.new_landings, ==, 0);
	g_assert_cmpint(again.outcome.verdicts, ==, 0);
	g_assert_cmpint(again.outcome.unchanged, ==, (gint64)json_array_size(landings));
	return TRUE;
}

static gboolean one_input(Store *into, gpointer of, GError **error)
{
	const json_t *value = of;
	const json_t *first = json_array_get(value, 0);
	if (!json_is_array(first))
		import_list(value);
	for (gsize i = 0; json_is_array(first) && i < json_array_size(value); i++)
		if (!import_list(json_array_get(value, i)))
			break;
	drover_error_set(error, DROVER_ERROR_INTERNAL, "nothing of this is kept");
	return FALSE;
}

int LLVMFuzzerTestOneInput(const guint8 *bytes, gsize size_bytes)
{
	if (store == NULL)
		open_store();
	g_autoptr(json_t) value = json_read("fuzz", (const char *)bytes, size_bytes, NULL);
	if (value != NULL)
		store_write(store, one_input, value, NULL);
	return 0;
}
