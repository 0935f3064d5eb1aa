/* SPDX-License-Identifier: ISC
 *
 * Landings in memory: reading what is new, in the order product, landings, items, targets,
 * verdicts, index.
 */
#include "landing/book.h"

#include <string.h>

/* The plus signs keep SQLite from looking by product, through all landings there are: what is new
 * is found by id. */
static const char sql_newest[] = "SELECT MAX(id) FROM landing";
static const char sql_landings[] =
	"SELECT id, ordinal, revision, author_name, author_email, landed_us, subject, qa, commits, "
	"notes FROM landing WHERE +product_id = ? AND id > ? AND retired_us IS NULL ORDER BY id";
static const char sql_items[] =
	"SELECT landing_item.landing_id, landing_item.item, landing_item.message_state "
	"FROM landing_item JOIN landing ON landing.id = landing_item.landing_id "
	"WHERE +landing.product_id = ? AND landing.id > ? AND landing.retired_us IS NULL "
	"ORDER BY landing.id, landing_item.item";
static const char sql_targets[] =
	"SELECT landing_target.landing_id, landing_target.kind, landing_target.ordinal "
	"FROM landing_target JOIN landing ON landing.id = landing_target.landing_id "
	"WHERE +landing.product_id = ? AND landing.id > ? AND landing.retired_us IS NULL "
	"ORDER BY landing.id, landing_target.kind, landing_target.position";
static const char sql_verdicts[] = "SELECT id, landing_id, item, state FROM verdict "
				   "WHERE product_id = ? AND id > ? ORDER BY id";

struct LandingBook {
	GMutex mutex; /* held from take to release */
	Product *product;
	GArray *landings; /* BookLanding, oldest first */
	GStringChunk *texts;
	GHashTable *keys;      /* item -> key + 1 */
	GPtrArray *item_names; /* by key; borrowed from texts */
	DeployableIndex *index;
	gint64 last_landing; /* newest id looked at, of any product */
	gint64 last_verdict; /* newest id read */
	char *digest;	     /* of the states; NULL when it must be computed */
	char *told_digest;   /* the one that landing_book_tell_digest() gave last */
};

struct LandingBooks {
	GMutex mutex;
	GHashTable *books; /* product's name -> LandingBook */
};

static void book_landing_clear(BookLanding *landing)
{
	g_free(landing->items);
	g_free(landing->rollbacks);
	g_free(landing->fixes);
}

static void book_empty(LandingBook *book)
{
	g_clear_pointer(&book->product, product_free);
	g_clear_pointer(&book->landings, g_array_unref);
	g_clear_pointer(&book->texts, g_string_chunk_free);
	g_clear_pointer(&book->keys, g_hash_table_unref);
	g_clear_pointer(&book->item_names, g_ptr_array_unref);
	g_clear_pointer(&book->index, deployable_index_free);
	g_clear_pointer(&book->digest, g_free);
}

static void book_start(LandingBook *book, gint64 baseline)
{
	book_empty(book);
	book->landings = g_array_new(FALSE, TRUE, sizeof(BookLanding));
	g_array_set_clear_func(book->landings, (GDestroyNotify)book_landing_clear);
	book->texts = g_string_chunk_new(64 * 1024);
	book->keys = g_hash_table_new(g_str_hash, g_str_equal);
	book->item_names = g_ptr_array_new();
	book->index = deployable_index_new(baseline);
	book->last_landing = book->last_verdict = 0;
}

static void book_free(LandingBook *book)
{
	book_empty(book);
	g_free(book->told_digest);
	g_mutex_clear(&book->mutex);
	g_free(book);
}

static BookLanding *at(const LandingBook *book, guint position)
{
	return &g_array_index(book->landings, BookLanding, position);
}

static const char *keep(LandingBook *book, const char *text)
{
	return text != NULL ? g_string_chunk_insert_const(book->texts, text) : NULL;
}

/* For texts that hardly come twice: looking for them would cost more than keeping them. */
static const char *keep_own(LandingBook *book, const char *text)
{
	return text != NULL ? g_string_chunk_insert(book->texts, text) : NULL;
}

static guint32 key_of(LandingBook *book, const char *item)
{
	gpointer found = g_hash_table_lookup(book->keys, item);
	if (found != NULL)
		return GPOINTER_TO_UINT(found) - 1;
	guint32 key = book->item_names->len;
	char *name = (char *)keep(book, item);
	g_ptr_array_add(book->item_names, name);
	g_hash_table_insert(book->keys, name, GUINT_TO_POINTER(key + 1));
	return key;
}

/* Rows of the book's product that are newer than what it has read, taken one by one. */
typedef struct Reading {
	LandingBook *book;
	guint position; /* of the landing that the row before belonged to */
	guint indexed;	/* landings that are in the index already */
} Reading;

typedef gboolean (*TakeRow)(Reading *reading, const StoreRows *row, GError **error);

static gboolean read_rows(
	Reading *reading, Store *store, const char *sql, gint64 after, TakeRow take, GError **error)
{
	g_autoptr(StoreRows) rows = store_query(store, error, sql,
		STORE_PARAMS(STORE_INT(reading->book->product->id), STORE_INT(after)));
	gboolean more;
	while (store_rows_next(rows, &more, error)) {
		if (!more)
			return TRUE;
		if (!take(reading, rows, error))
			return FALSE;
	}
	return FALSE;
}

static gboolean take_landing(Reading *reading, const StoreRows *row, GError **error)
{
	LandingBook *book = reading->book;
	BookLanding landing = {
		.id = store_rows_integer(row, 0),
		.ordinal = store_rows_integer(row, 1),
		.revision = keep_own(book, store_rows_text(row, 2)),
		.author_name = keep(book, store_rows_text(row, 3)),
		.author_email = keep(book, store_rows_text(row, 4)),
		.landed_us = store_rows_integer(row, 5),
		.subject = keep_own(book, store_rows_text(row, 6)),
		.commits = store_rows_integer(row, 8),
		.notes = keep_own(book, store_rows_text(row, 9)),
	};
	if (!landing_qa_parse(store_rows_text(row, 7), &landing.message_qa))
		landing.message_qa = LANDING_QA_REQUIRED;
	landing.qa = landing.message_qa;
	g_array_append_val(book->landings, landing);
	return TRUE;
}

/* The landing that the row belongs to: rows come in the order of ids. */
static BookLanding *onward(Reading *reading, const StoreRows *row)
{
	const LandingBook *book = reading->book;
	gint64 id = store_rows_integer(row, 0);
	while (reading->position < book->landings->len && at(book, reading->position)->id < id)
		reading->position++;
	g_assert(reading->position < book->landings->len && at(book, reading->position)->id == id);
	return at(book, reading->position);
}

static gboolean take_item(Reading *reading, const StoreRows *row, GError **error)
{
	LandingBook *book = reading->book;
	BookLanding *landing = onward(reading, row);
	guint32 key = key_of(book, store_rows_text(row, 1));
	BookItem item = {book->item_names->pdata[key], key, ITEM_UNRULED};
	const char *state = store_rows_text(row, 2);
	if (state != NULL && !item_state_parse(state, &item.verdict))
		item.verdict = ITEM_UNRULED;
	landing->items = g_renew(BookItem, landing->items, landing->item_count + 1);
	landing->items[landing->item_count++] = item;
	return TRUE;
}

static void add_target(gint64 **targets, guint *count, gint64 ordinal)
{
	*targets = g_renew(gint64, *targets, *count + 1);
	(*targets)[(*count)++] = ordinal;
}

static gboolean take_target(Reading *reading, const StoreRows *row, GError **error)
{
	BookLanding *landing = onward(reading, row);
	gint64 ordinal = store_rows_integer(row, 2);
	if (strcmp(store_rows_text(row, 1), "rollback") == 0)
		add_target(&landing->rollbacks, &landing->rollback_count, ordinal);
	else
		add_target(&landing->fixes, &landing->fix_count, ordinal);
	return TRUE;
}

static BookLanding *find_by_id(LandingBook *book, gint64 id, guint *position)
{
	guint low = 0, high = book->landings->len;
	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (at(book, middle)->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	*position = low;
	return low < book->landings->len && at(book, low)->id == id ? at(book, low) : NULL;
}

LandingQa book_landing_qa_after(const BookLanding *landing, ItemState state)
{
	return state == ITEM_OK	   ? LANDING_QA_OK
	       : state == ITEM_BAD ? LANDING_QA_BAD
				   : landing->message_qa;
}

/* `indexed` landings are in the index already. */
static gboolean apply_verdict(LandingBook *book, gint64 landing_id, const char *item,
	ItemState state, guint indexed, GError **error)
{
	guint position;
	BookLanding *landing = find_by_id(book, landing_id, &position);
	if (landing == NULL)
		return TRUE; /* retired */
	if (*item == '\0') {
		landing->qa = book_landing_qa_after(landing, state);
		return position >= indexed || deployable_index_rule_landing(book->index,
						      landing->ordinal, landing->qa, error);
	}
	BookItem *found = (BookItem *)book_landing_item(landing, item);
	if (found == NULL)
		return TRUE; /* the item's landing was scanned anew without it */
	found->verdict = state;
	return position >= indexed ||
	       deployable_index_rule_item(book->index, landing->ordinal, found->key, state, error);
}

static gboolean take_verdict(Reading *reading, const StoreRows *row, GError **error)
{
	ItemState state = ITEM_UNRULED;
	item_state_parse(store_rows_text(row, 3), &state);
	reading->book->last_verdict = store_rows_integer(row, 0);
	return apply_verdict(reading->book, store_rows_integer(row, 1), store_rows_text(row, 2),
		state, reading->indexed, error);
}

/* What the heart is told of one landing. The arrays are the caller's to free. */
static LandingFacts facts_of(const BookLanding *landing)
{
	guint32 *keys = g_new(guint32, landing->item_count);
	ItemState *states = g_new(ItemState, landing->item_count);
	gint64 *rollbacks = g_new(gint64, landing->rollback_count);
	for (guint i = 0; i < landing->item_count; i++) {
		keys[i] = landing->items[i].key;
		states[i] = landing->items[i].verdict;
	}
	/* A target that was not found is malformed, which to the heart is one not older than
	 * itself. */
	for (guint i = 0; i < landing->rollback_count; i++)
		rollbacks[i] = landing->rollbacks[i] < 0 ? landing->ordinal : landing->rollbacks[i];
	return (LandingFacts){landing->ordinal, landing->qa, keys, states, landing->item_count,
		rollbacks, landing->rollback_count, landing->fixes, landing->fix_count};
}

static void free_facts(LandingFacts *facts)
{
	g_free((gpointer)facts->items);
	g_free((gpointer)facts->states);
	g_free((gpointer)facts->rollback_of);
}

static gboolean index_from(LandingBook *book, guint first, GError **error)
{
	guint count = book->landings->len - first;
	g_autoptr(GArray) facts = g_array_sized_new(FALSE, FALSE, sizeof(LandingFacts), count);
	g_array_set_clear_func(facts, (GDestroyNotify)free_facts);
	for (guint i = 0; i < count; i++) {
		LandingFacts one = facts_of(at(book, first + i));
		g_array_append_val(facts, one);
	}
	if (first == 0)
		return deployable_index_build(
			book->index, (LandingFacts *)(void *)facts->data, count, error);
	for (guint i = 0; i < count; i++)
		if (!deployable_index_append(
			    book->index, &g_array_index(facts, LandingFacts, i), error))
			return FALSE;
	return TRUE;
}

/* What landed since the book was last looked at; most often nothing. */
static gboolean read_new(LandingBook *book, Store *store, GError **error)
{
	gint64 after = book->last_landing, newest;
	Reading items = {.book = book, .position = book->landings->len}, targets = items;
	if (!store_query_integer(store, error, 0, &newest, sql_newest, STORE_NO_PARAMS))
		return FALSE;
	if (newest == after)
		return TRUE;
	if (!read_rows(&items, store, sql_landings, after, take_landing, error) ||
		!read_rows(&items, store, sql_items, after, take_item, error) ||
		!read_rows(&targets, store, sql_targets, after, take_target, error))
		return FALSE;
	book->last_landing = newest;
	return TRUE;
}

static gboolean book_refresh(LandingBook *book, Store *store, const char *name, GError **error)
{
	g_autoptr(Product) product = product_load(store, name, error);
	if (product == NULL)
		return FALSE;
	if (book->product == NULL || book->product->id != product->id ||
		book->product->epoch != product->epoch)
		book_start(book, product->baseline);
	g_clear_pointer(&book->product, product_free);
	book->product = g_steal_pointer(&product);
	guint first = book->landings->len;
	gint64 verdicts = book->last_verdict;
	Reading reading = {.book = book, .indexed = first};
	if (!read_new(book, store, error) ||
		!read_rows(&reading, store, sql_verdicts, verdicts, take_verdict, error) ||
		!index_from(book, first, error))
		return FALSE;
	if (book->landings->len != first || book->last_verdict != verdicts)
		g_clear_pointer(&book->digest, g_free);
	return TRUE;
}

LandingBooks *landing_books_new(void)
{
	LandingBooks *books = g_new0(LandingBooks, 1);
	g_mutex_init(&books->mutex);
	books->books =
		g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)book_free);
	return books;
}

void landing_books_free(LandingBooks *books)
{
	if (books == NULL)
		return;
	g_hash_table_unref(books->books);
	g_mutex_clear(&books->mutex);
	g_free(books);
}

static LandingBook *find_book(LandingBooks *books, const char *product)
{
	g_mutex_lock(&books->mutex);
	LandingBook *book = g_hash_table_lookup(books->books, product);
	if (book == NULL) {
		book = g_new0(LandingBook, 1);
		g_mutex_init(&book->mutex);
		g_hash_table_insert(books->books, g_strdup(product), book);
	}
	g_mutex_unlock(&books->mutex);
	return book;
}

LandingBook *landing_books_take(
	LandingBooks *books, Store *store, const char *product, GError **error)
{
	/* Names that are no products must not fill the table: they come from outside. */
	g_autoptr(Product) known = product_load(store, product, error);
	if (known == NULL)
		return NULL;
	LandingBook *book = find_book(books, product);
	g_mutex_lock(&book->mutex);
	if (book_refresh(book, store, product, error))
		return book;
	book_empty(book); /* half read: the next one starts anew */
	g_mutex_unlock(&book->mutex);
	return NULL;
}

void landing_book_release(LandingBook *book)
{
	if (book != NULL)
		g_mutex_unlock(&book->mutex);
}

const Product *landing_book_product(const LandingBook *book)
{
	return book->product;
}

DeployableIndex *landing_book_index(LandingBook *book)
{
	return book->index;
}

guint landing_book_count(const LandingBook *book)
{
	return book->landings->len;
}

const BookLanding *landing_book_at(const LandingBook *book, guint position)
{
	g_assert(position < book->landings->len);
	return at(book, position);
}

const BookLanding *landing_book_find(const LandingBook *book, gint64 ordinal)
{
	guint low = 0, high = book->landings->len;
	while (low < high) {
		guint middle = low + (high - low) / 2;
		if (at(book, middle)->ordinal < ordinal)
			low = middle + 1;
		else
			high = middle;
	}
	return low < book->landings->len && at(book, low)->ordinal == ordinal ? at(book, low)
									      : NULL;
}

const BookItem *book_landing_item(const BookLanding *landing, const char *item)
{
	for (guint i = 0; i < landing->item_count; i++)
		if (strcmp(landing->items[i].id, item) == 0)
			return &landing->items[i];
	return NULL;
}

const char *landing_book_item_name(const LandingBook *book, guint32 key)
{
	g_assert(key < book->item_names->len);
	return book->item_names->pdata[key];
}

static const BookLanding *resolve_revision(
	const LandingBook *book, const char *name, GError **error)
{
	const BookLanding *found = NULL;
	gboolean abbreviated = strlen(name) >= 7;
	for (guint i = 0; i < book->landings->len; i++) {
		const BookLanding *landing = at(book, i);
		if (strcmp(landing->revision, name) == 0)
			return landing;
		if (!abbreviated || !g_str_has_prefix(landing->revision, name))
			continue;
		if (found != NULL) {
			drover_error_set(error, DROVER_ERROR_INPUT,
				"'%.80s' could be landing %" G_GINT64_FORMAT " or %" G_GINT64_FORMAT
				"; give more digits",
				name, found->ordinal, landing->ordinal);
			return NULL;
		}
		found = landing;
	}
	if (found == NULL)
		drover_error_set(error, DROVER_ERROR_NOT_FOUND,
			"%s has no landing '%.80s': name it by its number, or by 7 or more digits "
			"of its revision",
			book->product->name, name);
	return found;
}

const BookLanding *landing_book_resolve(const LandingBook *book, const char *name, GError **error)
{
	gint64 ordinal;
	if (g_ascii_string_to_signed(name, 10, 1, G_MAXINT64, &ordinal, NULL)) {
		const BookLanding *landing = landing_book_find(book, ordinal);
		if (landing != NULL)
			return landing;
	}
	return resolve_revision(book, name, error);
}

gboolean landing_book_waits(LandingBook *book, const BookLanding *landing)
{
	return deployable_index_state(book->index, landing->ordinal) == LANDING_PENDING &&
	       deployable_index_in_tree(
		       book->index, landing->ordinal, deployable_index_tip(book->index));
}

static char *compute_digest(const LandingBook *book)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	for (guint i = 0; i < book->landings->len; i++) {
		const BookLanding *landing = at(book, i);
		LandingState state = deployable_index_state(book->index, landing->ordinal);
		g_autofree char *line = g_strdup_printf("%" G_GINT64_FORMAT " %s %s\n",
			landing->ordinal, landing->revision, landing_state_name(state));
		g_checksum_update(checksum, (const guchar *)line, -1);
	}
	return g_strdup(g_checksum_get_string(checksum));
}

const char *landing_book_digest(LandingBook *book)
{
	if (book->digest == NULL)
		book->digest = compute_digest(book);
	return book->digest;
}

const char *landing_book_tell_digest(LandingBook *book)
{
	const char *digest = landing_book_digest(book);
	if (g_strcmp0(book->told_digest, digest) == 0)
		return NULL;
	g_free(book->told_digest);
	book->told_digest = g_strdup(digest);
	return digest;
}
