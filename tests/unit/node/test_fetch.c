/* SPDX-License-Identifier: ISC
 *
 * One good source is enough, whatever the others do; and what is not the signed file is never taken
 * for it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "mirror.h"
#include "node/fetch.h"

enum { SIZE = 100000, HEAD = 40000 };
#define FILE_NAME "1.4.2/payload.tar.zst"

/* What one test fetches, and to where. */
typedef struct Bed {
	char *folder, *part;
	char bytes[SIZE], other[SIZE]; /* the file, and one of the same size */
	char sha256[SHA256_HEX];
} Bed;

static int bed_setup(void **state)
{
	Bed *bed = g_new0(Bed, 1);
	Sha256 sha256;
	bed->folder = g_dir_make_tmp("drover-fetch-XXXXXX", NULL);
	bed->part = g_build_filename(bed->folder, "payload.part", NULL);
	for (guint i = 0; i < SIZE; i++)
		bed->bytes[i] = (char)(i * i % 251);
	memset(bed->other, 'x', SIZE);
	sha256_init(&sha256);
	sha256_update(&sha256, bed->bytes, SIZE);
	sha256_finish(&sha256, bed->sha256);
	*state = bed;
	return 0;
}

static int bed_teardown(void **state)
{
	Bed *bed = *state;
	gboolean removed = file_remove(bed->folder, NULL);
	g_free(bed->folder);
	g_free(bed->part);
	g_free(bed);
	return removed ? 0 : -1;
}

static void write_part(const Bed *bed, const char *bytes, gsize size)
{
	assert_true(file_write(bed->part, bytes, size, 0600, NULL));
}

static gboolean fetch(const Bed *bed, char *const *sources, GError **error)
{
	FetchFrom from = {.sources = sources, .product = "web", .stall_ms = 1000};
	return fetch_file(&from, FILE_NAME, SIZE, bed->sha256, bed->part, error);
}

/* The part is `size` bytes of `bytes`. */
static void assert_part(const Bed *bed, const char *bytes, gsize size)
{
	gsize found_size;
	g_autofree char *found = file_read(bed->part, SIZE + 1, &found_size, NULL);
	assert_non_null(found);
	assert_int_equal(found_size, size);
	assert_memory_equal(found, bytes, size);
}

static void assert_fetched(const Bed *bed, char *const *sources)
{
	g_autoptr(GError) error = NULL;
	if (!fetch(bed, sources, &error))
		fail_msg("%s", error->message);
	assert_part(bed, bed->bytes, SIZE);
}

/* The message holds `words`. */
static void assert_not_fetched(const Bed *bed, char *const *sources, const char *words)
{
	g_autoptr(GError) error = NULL;
	assert_false(fetch(bed, sources, &error));
	if (!drover_error_is(error, DROVER_ERROR_UNAVAILABLE) ||
		strstr(error->message, words) == NULL)
		fail_msg("%s: %s", drover_error_kind(error->code), error->message);
}

/* Servers; `of` is the bed, or what is to be said. */

static void serve_well(const MirrorVisit *visit, gpointer of)
{
	mirror_serve(visit, ((Bed *)of)->bytes, SIZE);
}

static void serve_other(const MirrorVisit *visit, gpointer of)
{
	mirror_serve(visit, ((Bed *)of)->other, SIZE);
}

static void serve_10000_at_a_time(const MirrorVisit *visit, gpointer of)
{
	mirror_break_off(visit, ((Bed *)of)->bytes, SIZE, 10000);
}

static void serve_10000_others_at_a_time(const MirrorVisit *visit, gpointer of)
{
	mirror_break_off(visit, ((Bed *)of)->other, SIZE, 10000);
}

static void serve_without_ranges(const MirrorVisit *visit, gpointer of)
{
	MirrorVisit whole = *visit;
	whole.from_bytes = 0;
	mirror_serve(&whole, ((Bed *)of)->bytes, SIZE);
}

static void say(const MirrorVisit *visit, gpointer of)
{
	mirror_say(visit, of);
}

static void say_and_hang(const MirrorVisit *visit, gpointer of)
{
	mirror_say(visit, of);
	mirror_hang(visit);
}

/* good sources --------------------------------------------------------------------------------- */

static void test_file_comes_whole(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) mirror = mirror_new(serve_well, bed);
	assert_fetched(bed, (char *[]){(char *)mirror_url(mirror), NULL});
	assert_int_equal(mirror_visits(mirror), 1);
	/* And not again. */
	assert_fetched(bed, (char *[]){(char *)mirror_url(mirror), NULL});
	assert_int_equal(mirror_visits(mirror), 1);
}

static void keep_header(const MirrorVisit *visit, gpointer of)
{
	*(char **)of = g_strdup(visit->header);
	mirror_say(visit, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
}

static void test_request_names_the_file_and_itself(void **state)
{
	Bed *bed = *state;
	g_autofree char *header = NULL;
	Mirror *mirror = mirror_new(keep_header, &header);
	g_autofree char *source = g_strconcat(mirror_url(mirror), "//", NULL);
	assert_not_fetched(bed, (char *[]){source, NULL}, "404");
	mirror_free(mirror);
	assert_true(
		g_str_has_prefix(header, "GET /repository/web/1.4.2/payload.tar.zst HTTP/1.1\r\n"));
	assert_non_null(strstr(header, "\r\nUser-Agent: drover-node/"));
	assert_null(strstr(header, "Accept-Encoding"));
}

static void test_fetching_goes_on_where_it_was_left(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) mirror = mirror_new(serve_well, bed);
	write_part(bed, bed->bytes, HEAD);
	assert_fetched(bed, (char *[]){(char *)mirror_url(mirror), NULL});
	assert_int_equal(mirror_visits(mirror), 1);
	assert_int_equal(mirror_from(mirror, 0), HEAD);
}

static void test_server_without_ranges_is_good_too(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) mirror = mirror_new(serve_without_ranges, bed);
	write_part(bed, bed->bytes, HEAD);
	assert_fetched(bed, (char *[]){(char *)mirror_url(mirror), NULL});
	assert_int_equal(mirror_visits(mirror), 1);
}

static void write_repository(const Bed *bed, const char *bytes, gsize size)
{
	g_autofree char *folder = g_build_filename(bed->folder, "web", "1.4.2", NULL);
	g_autofree char *path = g_build_filename(bed->folder, "web", FILE_NAME, NULL);
	assert_true(file_make_folder(folder, 0755, NULL));
	assert_true(file_write(path, bytes, size, 0644, NULL));
}

static void test_folder_is_a_source(void **state)
{
	Bed *bed = *state;
	write_repository(bed, bed->bytes, SIZE);
	write_part(bed, bed->bytes, HEAD);
	assert_fetched(bed, (char *[]){bed->folder, NULL});
}

static void note_progress(const char *file, gint64 done_bytes, gint64 total_bytes, gpointer of)
{
	assert_string_equal(file, FILE_NAME);
	assert_int_equal(total_bytes, SIZE);
	assert_true(done_bytes > *(gint64 *)of);
	*(gint64 *)of = done_bytes;
}

static void test_progress_begins_with_what_is_here(void **state)
{
	Bed *bed = *state;
	gint64 done_bytes = HEAD;
	char *sources[] = {bed->folder, NULL};
	FetchFrom from = {
		.sources = sources, .product = "web", .progress = note_progress, .of = &done_bytes};
	write_repository(bed, bed->bytes, SIZE);
	write_part(bed, bed->bytes, HEAD);
	assert_true(fetch_file(&from, FILE_NAME, SIZE, bed->sha256, bed->part, NULL));
	assert_int_equal(done_bytes, SIZE);
}

/* sources together ----------------------------------------------------------------------------- */

static void test_next_source_goes_on_where_the_one_before_broke_off(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) first = mirror_new(serve_10000_at_a_time, bed);
	g_autoptr(Mirror) second = mirror_new(serve_well, bed);
	assert_fetched(
		bed, (char *[]){(char *)mirror_url(first), (char *)mirror_url(second), NULL});
	assert_int_equal(mirror_visits(first), FETCH_MAXIMUM_TRIES);
	assert_int_equal(mirror_from(second, 0), FETCH_MAXIMUM_TRIES * 10000);
}

static void test_bad_tail_is_thrown_away_and_the_good_head_kept(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) bad = mirror_new(serve_other, bed);
	g_autoptr(Mirror) good = mirror_new(serve_well, bed);
	write_part(bed, bed->bytes, HEAD);
	assert_fetched(bed, (char *[]){(char *)mirror_url(bad), (char *)mirror_url(good), NULL});
	assert_int_equal(mirror_visits(bad), 1);
	assert_int_equal(mirror_visits(good), 1);
	assert_int_equal(mirror_from(good, 0), HEAD);
}

static void test_bad_head_is_found_out(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) mirror = mirror_new(serve_well, bed);
	write_part(bed, bed->other, HEAD);
	assert_fetched(bed, (char *[]){(char *)mirror_url(mirror), NULL});
	assert_int_equal(mirror_from(mirror, 0), HEAD);
	assert_int_equal(mirror_from(mirror, 1), 0);
}

static void test_source_that_breaks_off_with_other_bytes_spoils_nothing(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) bad = mirror_new(serve_10000_others_at_a_time, bed);
	g_autoptr(Mirror) good = mirror_new(serve_well, bed);
	assert_fetched(bed, (char *[]){(char *)mirror_url(bad), (char *)mirror_url(good), NULL});
	assert_int_equal(mirror_visits(good), 2);
	assert_int_equal(mirror_from(good, 1), 0);
}

static void test_whole_part_of_other_bytes_is_fetched_anew(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) mirror = mirror_new(serve_well, bed);
	write_part(bed, bed->other, SIZE);
	assert_fetched(bed, (char *[]){(char *)mirror_url(mirror), NULL});
	assert_int_equal(mirror_visits(mirror), 1);
	assert_int_equal(mirror_from(mirror, 0), 0);
}

static void test_part_that_is_too_long_is_cut(void **state)
{
	Bed *bed = *state;
	g_autofree char *longer = g_malloc0(SIZE + 10);
	memcpy(longer, bed->bytes, SIZE);
	write_part(bed, longer, SIZE + 10);
	assert_fetched(bed, (char *[]){NULL});
}

static void test_source_with_other_bytes_is_asked_once(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) mirror = mirror_new(serve_other, bed);
	assert_not_fetched(bed, (char *[]){(char *)mirror_url(mirror), NULL},
		"it has other bytes than those signed for");
	assert_int_equal(mirror_visits(mirror), 1);
	assert_part(bed, "", 0);
}

static void test_source_is_asked_for_the_whole_once_at_most(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) mirror = mirror_new(serve_other, bed);
	write_part(bed, bed->bytes, HEAD);
	assert_not_fetched(bed, (char *[]){(char *)mirror_url(mirror), NULL}, "other bytes");
	assert_int_equal(mirror_visits(mirror), 2);
}

static void test_what_came_stays_for_the_next_time(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) mirror = mirror_new(serve_10000_at_a_time, bed);
	assert_not_fetched(bed, (char *[]){(char *)mirror_url(mirror), NULL}, "");
	assert_part(bed, bed->bytes, FETCH_MAXIMUM_TRIES * 10000);
}

static void serve_another_part(const MirrorVisit *visit, gpointer of)
{
	MirrorVisit before = *visit;
	before.from_bytes = MAX(visit->from_bytes - 1, 0);
	mirror_serve(&before, ((Bed *)of)->bytes, SIZE);
}

static void test_source_that_sends_another_part_is_asked_for_the_whole(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) mirror = mirror_new(serve_another_part, bed);
	write_part(bed, bed->bytes, HEAD);
	assert_fetched(bed, (char *[]){(char *)mirror_url(mirror), NULL});
	assert_int_equal(mirror_from(mirror, 0), HEAD);
	assert_int_equal(mirror_from(mirror, 1), 0);
}

/* bad sources ---------------------------------------------------------------------------------- */

/* It is refused with `words`, nothing of it reaches the file, and a good one goes on. */
static void assert_left(void **state, MirrorAnswer answer, const char *said, const char *words)
{
	Bed *bed = *state;
	g_autoptr(Mirror) bad = mirror_new(answer, (gpointer)said);
	g_autoptr(Mirror) good = mirror_new(serve_well, bed);
	write_part(bed, bed->bytes, HEAD);
	assert_not_fetched(bed, (char *[]){(char *)mirror_url(bad), NULL}, words);
	assert_part(bed, bed->bytes, HEAD);
	assert_fetched(bed, (char *[]){(char *)mirror_url(bad), (char *)mirror_url(good), NULL});
	assert_int_equal(mirror_from(good, 0), HEAD);
}

static void test_answers_that_are_not_the_file_are_refused(void **state)
{
	static const struct {
		const char *said, *words;
	} cases[] = {
		{"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", "answers 404"},
		{"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", "answers 410"},
		{"HTTP/1.1 416 Beyond\r\nContent-Length: 0\r\n\r\n", "answers 416"},
		{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
		 "Content-Length: 0\r\n\r\n",
			"answers 302: it sends us elsewhere, which is not followed"},
		{"HTTP/1.1 503 Later\r\nContent-Length: 5\r\n\r\nlater", "answers 503"},
		{"HTTP/1.1 204 Nothing\r\n\r\n", "answers 204"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlogin",
			"has 5 bytes where 100000 are signed for"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n0123456789",
			"has 100001 bytes where 100000 are signed for"},
		{"HTTP/1.1 206 Part\r\nContent-Length: 4\r\n"
		 "Content-Range: bytes 40000-40003/40004\r\n\r\nabcd",
			"has 40004 bytes where 100000 are signed for"},
		{"HTTP/1.1 206 Part\r\nContent-Length: 4\r\n"
		 "Content-Range: bytes 39999-40002/100000\r\n\r\nabcd",
			"answers 206, a part, when asked for the whole"},
		{"HTTP/1.1 206 Part\r\nContent-Length: 4\r\n"
		 "Content-Range: bytes 40000-40003/100000x\r\n\r\nabcd",
			"answers 206, a part, when asked for the whole"},
		{"HTTP/1.1 206 Part\r\nContent-Length: 4\r\n"
		 "Content-Range: bytes 40000-40003/100000\r\n"
		 "Content-Range: bytes 40000-40003/100000\r\n\r\nabcd",
			"answers 206, a part, when asked for the whole"},
		{"HTTP/1.1 206 Part\r\nContent-Length: 4\r\n\r\nabcd",
			"answers 206, a part, when asked for the whole"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nContent-Encoding: gzip\r\n"
		 "\r\n0123456789",
			"an encoding that nobody asked for"},
		{"HTTP/1.1 200 OK\r\n\r\n", "ended before it was whole: 40000 of 100000 bytes"},
		{"SSH-2.0-OpenSSH_9.2\r\n", ""},
		{"", ""},
	};
	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_left(state, say, cases[i].said, cases[i].words);
}

static void test_source_that_stalls_is_left(void **state)
{
	assert_left(state, say_and_hang, "", "nothing came for 1 s");
	assert_left(state, say_and_hang, "HTTP/1.1 200 OK\r\nX-Slow", "nothing came for 1 s");
	assert_left(state, say_and_hang, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabc",
		"nothing came for 1 s");
}

static void say_much(const MirrorVisit *visit, gpointer of)
{
	mirror_say(visit, "HTTP/1.1 200 OK\r\n");
	for (guint i = 0; i < 700; i++)
		mirror_say(visit, "X-Long: 01234567890123456789012345678901234567890123456789"
				  "0123456789012345678901234567890123456789\r\n");
}

static void test_header_without_an_end_is_refused(void **state)
{
	assert_left(state, say_much, NULL, "header is larger than the 65536 bytes allowed");
}

static void serve_on_and_on(const MirrorVisit *visit, gpointer of)
{
	mirror_say(visit, "HTTP/1.1 200 OK\r\n\r\n");
	mirror_send(visit, ((Bed *)of)->bytes, SIZE);
	mirror_send(visit, ((Bed *)of)->other, SIZE);
	mirror_hang(visit);
}

static void test_no_more_is_taken_than_is_signed_for(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) mirror = mirror_new(serve_on_and_on, bed);
	assert_fetched(bed, (char *[]){(char *)mirror_url(mirror), NULL});
}

static void serve_wrong_ranges(const MirrorVisit *visit, gpointer of)
{
	if (visit->number == 0)
		mirror_break_off(visit, ((Bed *)of)->bytes, SIZE, HEAD);
	else if (visit->number == 1)
		mirror_serve(visit, ((Bed *)of)->other, SIZE);
	else
		serve_without_ranges(visit, of);
}

static void test_source_that_cannot_go_on_is_asked_for_the_whole(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) mirror = mirror_new(serve_wrong_ranges, bed);
	assert_fetched(bed, (char *[]){(char *)mirror_url(mirror), NULL});
	assert_int_equal(mirror_visits(mirror), 3);
	assert_int_equal(mirror_from(mirror, 1), HEAD);
	assert_int_equal(mirror_from(mirror, 2), 0);
}

static void test_folder_with_another_file_is_refused(void **state)
{
	Bed *bed = *state;
	g_autofree char *path = g_build_filename(bed->folder, "web", FILE_NAME, NULL);
	assert_not_fetched(bed, (char *[]){bed->folder, NULL}, "No such file");
	write_repository(bed, bed->bytes, SIZE - 1);
	assert_not_fetched(bed, (char *[]){bed->folder, NULL}, "99999 bytes where 100000 are");
	write_repository(bed, bed->other, SIZE);
	assert_not_fetched(bed, (char *[]){bed->folder, NULL}, "other bytes");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_not_fetched(bed, (char *[]){bed->folder, NULL}, "no regular file");
}

static void test_error_says_of_each_source_what_was_wrong(void **state)
{
	Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	Mirror *away = mirror_new(say, "");
	g_autofree char *gone = g_strdup(mirror_url(away));
	g_autofree char *secret = g_strdup_printf("http://me:pass@%s", gone + strlen("http://"));
	mirror_free(away);
	g_autoptr(Mirror) busy = mirror_new(say, "HTTP/1.1 503 Later\r\n\r\n");
	assert_false(fetch(bed, (char *[]){secret, (char *)mirror_url(busy), NULL}, &error));
	g_autofree char *begin =
		g_strdup_printf("cannot fetch web/1.4.2/payload.tar.zst: %s: ", gone);
	g_autofree char *end = g_strdup_printf("; %s: answers 503", mirror_url(busy));
	assert_true(g_str_has_prefix(error->message, begin));
	assert_true(g_str_has_suffix(error->message, end));
	assert_null(strstr(error->message, "pass"));
	assert_not_fetched(bed, (char *[]){NULL}, "there are no sources");
	assert_not_fetched(bed, (char *[]){"http://[", NULL}, "a source that is no address: ");
}

static void test_full_disk_is_no_fault_of_a_source(void **state)
{
	Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	struct rlimit before, limit;
	write_repository(bed, bed->bytes, SIZE);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){.rlim_cur = HEAD, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	gboolean ok = fetch(bed, (char *[]){bed->folder, NULL}, &error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_false(ok);
	assert_true(drover_error_is(error, DROVER_ERROR_INTERNAL));
	assert_non_null(strstr(error->message, "cannot write"));
	assert_fetched(bed, (char *[]){bed->folder, NULL});
}

static void test_link_in_the_place_of_the_part_is_not_followed(void **state)
{
	Bed *bed = *state;
	g_autoptr(GError) error = NULL;
	assert_int_equal(symlink("elsewhere", bed->part), 0);
	assert_false(fetch(bed, (char *[]){bed->folder, NULL}, &error));
	assert_true(drover_error_is(error, DROVER_ERROR_INTERNAL));
}

/* any sources ---------------------------------------------------------------------------------- */

/* Any manners, drawn by lot. */
typedef struct Moody {
	Bed *bed;
	GRand *rand;
} Moody;

static void serve_in_any_mood(const MirrorVisit *visit, gpointer of)
{
	Moody *moody = of;
	const char *bytes = g_rand_boolean(moody->rand) ? moody->bed->bytes : moody->bed->other;
	switch (g_rand_int_range(moody->rand, 0, 6)) {
	case 0:
		mirror_say(visit, "HTTP/1.1 503 Later\r\n\r\n");
		break;
	case 1:
		mirror_say(visit, "HTTP/1.1 416 Beyond\r\n\r\n");
		break;
	case 2:
		mirror_serve(visit, bytes, SIZE);
		break;
	case 3:
		mirror_say(visit, "HTTP/1.1 200 OK\r\n\r\n");
		mirror_send(visit, bytes, SIZE);
		break;
	default:
		mirror_break_off(visit, bytes, SIZE, (gsize)g_rand_int_range(moody->rand, 0, SIZE));
	}
}

/* With it the file comes; without it what comes is the file, or nothing is claimed. */
static void try_any_sources(Bed *bed, GRand *rand, gboolean with_a_good_one)
{
	enum { COUNT = 4 };
	char *sources[COUNT + 1] = {NULL};
	Mirror *mirrors[COUNT];
	Moody moods[COUNT];
	gint good = with_a_good_one ? g_rand_int_range(rand, 0, COUNT) : -1;
	for (gint i = 0; i < COUNT; i++) {
		moods[i] = (Moody){bed, g_rand_new_with_seed(g_rand_int(rand))};
		mirrors[i] = i == good ? mirror_new(serve_well, bed)
				       : mirror_new(serve_in_any_mood, &moods[i]);
		sources[i] = (char *)mirror_url(mirrors[i]);
	}
	g_autoptr(GError) error = NULL;
	gboolean fetched = fetch(bed, sources, &error);
	for (gint i = 0; i < COUNT; i++) {
		assert_true(mirror_visits(mirrors[i]) <= 2 * FETCH_MAXIMUM_TRIES);
		mirror_free(mirrors[i]);
		g_rand_free(moods[i].rand);
	}
	if (fetched)
		assert_part(bed, bed->bytes, SIZE);
	else if (with_a_good_one)
		fail_msg("%s", error->message);
	else
		assert_true(drover_error_is(error, DROVER_ERROR_UNAVAILABLE));
}

static void test_one_good_source_is_enough(void **state)
{
	Bed *bed = *state;
	for (guint seed = 1; seed <= 100; seed++) {
		GRand *rand = g_rand_new_with_seed(seed);
		print_message("seed %u\n", seed);
		write_part(bed, g_rand_boolean(rand) ? bed->bytes : bed->other,
			(gsize)g_rand_int_range(rand, 0, SIZE));
		try_any_sources(bed, rand, FALSE);
		try_any_sources(bed, rand, TRUE);
		g_rand_free(rand);
	}
}

/* texts ---------------------------------------------------------------------------------------- */

static char *text_from(const char *source, gsize maximum_bytes, gsize *size_bytes, GError **error)
{
	char *sources[] = {(char *)source, NULL};
	FetchFrom from = {.sources = sources, .product = "web", .stall_ms = 1000};
	return fetch_text(&from, 0, "index", maximum_bytes, size_bytes, error);
}

static void assert_no_text(
	const char *source, gsize maximum_bytes, DroverErrorCode code, const char *words)
{
	g_autoptr(GError) error = NULL;
	assert_null(text_from(source, maximum_bytes, NULL, &error));
	if (!drover_error_is(error, code) || strstr(error->message, words) == NULL)
		fail_msg("%s: %s", drover_error_kind(error->code), error->message);
}

static void test_text_comes_from_both_kinds_of_sources(void **state)
{
	Bed *bed = *state;
	gsize size;
	g_autoptr(Mirror) mirror =
		mirror_new(say, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nindex");
	g_autofree char *folder = g_build_filename(bed->folder, "web", NULL);
	g_autofree char *path = g_build_filename(folder, "index", NULL);
	assert_true(file_make_folder(folder, 0755, NULL));
	assert_true(file_write(path, "index", 5, 0644, NULL));
	g_autofree char *far = text_from(mirror_url(mirror), 5, &size, NULL);
	assert_string_equal(far, "index");
	assert_int_equal(size, 5);
	g_autofree char *near = text_from(bed->folder, 5, &size, NULL);
	assert_string_equal(near, "index");
	assert_int_equal(size, 5);
	assert_no_text(mirror_url(mirror), 4, DROVER_ERROR_TOO_LARGE, "4 bytes allowed");
	assert_no_text(bed->folder, 4, DROVER_ERROR_TOO_LARGE, "4 bytes allowed");
}

static void test_text_that_is_not_there_or_not_whole_is_an_error(void **state)
{
	Bed *bed = *state;
	g_autoptr(Mirror) gone = mirror_new(say, "HTTP/1.1 404 No\r\n\r\n");
	g_autoptr(Mirror) cut =
		mirror_new(say, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nindex");
	g_autoptr(Mirror) slow = mirror_new(say_and_hang, "HTTP/1.1 200 OK\r\n\r\nindex");
	assert_no_text(mirror_url(gone), 9, DROVER_ERROR_NOT_FOUND, "cannot fetch web/index from");
	assert_no_text(mirror_url(cut), 9, DROVER_ERROR_UNAVAILABLE, "");
	assert_no_text(mirror_url(slow), 9, DROVER_ERROR_UNAVAILABLE, "nothing came for 1 s");
	assert_no_text(bed->folder, 9, DROVER_ERROR_NOT_FOUND, "No such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
		TEST(test_file_comes_whole),
		TEST(test_request_names_the_file_and_itself),
		TEST(test_fetching_goes_on_where_it_was_left),
		TEST(test_server_without_ranges_is_good_too),
		TEST(test_folder_is_a_source),
		TEST(test_progress_begins_with_what_is_here),
		TEST(test_next_source_goes_on_where_the_one_before_broke_off),
		TEST(test_bad_tail_is_thrown_away_and_the_good_head_kept),
		TEST(test_bad_head_is_found_out),
		TEST(test_source_that_breaks_off_with_other_bytes_spoils_nothing),
		TEST(test_whole_part_of_other_bytes_is_fetched_anew),
		TEST(test_part_that_is_too_long_is_cut),
		TEST(test_source_with_other_bytes_is_asked_once),
		TEST(test_source_is_asked_for_the_whole_once_at_most),
		TEST(test_what_came_stays_for_the_next_time),
		TEST(test_source_that_sends_another_part_is_asked_for_the_whole),
		TEST(test_answers_that_are_not_the_file_are_refused),
		TEST(test_source_that_stalls_is_left),
		TEST(test_header_without_an_end_is_refused),
		TEST(test_no_more_is_taken_than_is_signed_for),
		TEST(test_source_that_cannot_go_on_is_asked_for_the_whole),
		TEST(test_folder_with_another_file_is_refused),
		TEST(test_error_says_of_each_source_what_was_wrong),
		TEST(test_full_disk_is_no_fault_of_a_source),
		TEST(test_link_in_the_place_of_the_part_is_not_followed),
		TEST(test_one_good_source_is_enough),
		TEST(test_text_comes_from_both_kinds_of_sources),
		TEST(test_text_that_is_not_there_or_not_whole_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
