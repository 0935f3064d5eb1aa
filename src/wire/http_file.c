/* SPDX-License-Identifier: ISC
 *
 * A file as an answer: found below a folder and nowhere else, and sent as a whole, in part, or not
 * at all when the peer has it (RFC 9110, 13 and 14).
 *
 * The kernel resolves the path (openat2, RESOLVE_BENEATH), so nothing can be exchanged between a
 * check and its use. Several ranges at one time are answered with the whole file, as the standard
 * allows: who asks for many small pieces gets no work out of us.
 */
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "wire/http_inside.h"

#define OPEN_TRIES 8 /* openat2 asks to try again when a folder was renamed meanwhile */

typedef struct Validators {
	char tag[64];
	char date[HTTP_DATE_SIZE];
	gint64 modified_s;
} Validators;

/* -- finding it
 * --------------------------------------------------------------------------------------- */

static gboolean is_plain(const char *path)
{
	if (!*path)
		return FALSE;
	for (const char *segment = path; segment; segment = strchr(segment, '/')) {
		segment += *segment == '/';
		if (*segment == '\0' || *segment == '.' || *segment == '/')
			return FALSE;
	}
	return TRUE;
}

/* -1 with errno set. A pipe or a device is not waited for. */
static int open_below(int folder, const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	long fd = -1;
	for (guint i = 0; i < OPEN_TRIES; i++) {
		fd = syscall(SYS_openat2, folder, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return (int)fd;
}

static HttpAnswer *refuse(int status, const char *reason)
{
	g_autofree char *text = g_strdup_printf("%d: %s\n", status, reason);
	return http_answer_new(status, "text/plain; charset=utf-8", text, -1);
}

static HttpAnswer *answer_for(int problem)
{
	if (problem == EMFILE || problem == ENFILE || problem == ENOMEM || problem == EAGAIN)
		return refuse(503, "no more files can be opened");
	if (problem == EIO || problem == ENOSYS || problem == EPERM)
		return refuse(500, "the file cannot be read");
	return refuse(404, "no such file is published here");
}

/* -- what it is
 * --------------------------------------------------------------------------------------- */

static Validators validators_of(const struct stat *status)
{
	Validators of = {.modified_s = status->st_mtim.tv_sec};
	g_snprintf(of.tag, sizeof(of.tag),
		"\"%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x%08lx\"",
		(guint64)status->st_size, (guint64)status->st_mtim.tv_sec,
		(unsigned long)status->st_mtim.tv_nsec);
	http_date_text(of.modified_s, of.date);
	return of;
}

/* -- what of it is wanted
 * ------------------------------------------------------------------------------ */

/* 0: go on; 304 or 412. The tag wins over the date (RFC 9110, 13.2.2). */
static int judge_conditions(const HttpRequest *request, const Validators *of)
{
	const char *match = http_request_header(request, "If-Match");
	if (match && !http_tag_matches(match, of->tag))
		return 412;
	const char *none_match = http_request_header(request, "If-None-Match");
	if (none_match)
		return http_tag_matches(none_match, of->tag) ? 304 : 0;
	const char *since = http_request_header(request, "If-Modified-Since");
	time_t known = since ? curl_getdate(since, NULL) : -1;
	return known != -1 && of->modified_s <= (gint64)known ? 304 : 0;
}

/* If-Range is a tag or a date, and must be the very one. */
static gboolean range_counts(const HttpRequest *request, const Validators *of)
{
	const char *condition = http_request_header(request, "If-Range");
	return !condition || strcmp(condition, of->tag) == 0 || strcmp(condition, of->date) == 0;
}

typedef enum RangeKind { RANGE_NONE, RANGE_PART, RANGE_OUTSIDE } RangeKind;

/* Digits only; what is too great for a number is beyond every file. FALSE when there are none. */
static gboolean take_number(const char **at, goffset *number)
{
	const char *start = *at;
	*number = 0;
	for (; g_ascii_isdigit(**at); (*at)++)
		*number = *number > G_MAXINT64 / 10 - 1 ? G_MAXINT64 - 1
							: *number * 10 + (**at - '0');
	return *at > start;
}

/* "bytes=0-99", "bytes=100-", "bytes=-100". What is none of these is no range. */
static RangeKind read_range(const char *text, goffset size, HttpFile *file)
{
	if (g_ascii_strncasecmp(text, "bytes=", 6) != 0)
		return RANGE_NONE;
	const char *at = text + 6;
	goffset first = 0, last = G_MAXINT64 - 1;
	gboolean has_first = take_number(&at, &first);
	if (*at++ != '-')
		return RANGE_NONE;
	gboolean has_last = take_number(&at, &last);
	if (!has_last)
		last = G_MAXINT64 - 1;
	if (*at || (!has_first && !has_last) || (has_first && first > last))
		return RANGE_NONE;
	if (!has_first) { /* the last so many */
		if (last == 0 || size == 0)
			return RANGE_OUTSIDE;
		first = size - MIN(last, size);
		last = size - 1;
	}
	if (first >= size)
		return RANGE_OUTSIDE;
	file->from = first;
	file->length = MIN(last, size - 1) - first + 1;
	return RANGE_PART;
}

static RangeKind wanted_range(const HttpRequest *request, const Validators *of, HttpFile *file)
{
	const char *range = http_request_header(request, "Range");
	if (!range || request->is_head || !range_counts(request, of))
		return RANGE_NONE;
	return read_range(range, file->length, file);
}

/* -- the answer
 * --------------------------------------------------------------------------------------- */

static HttpAnswer *answer_whole(
	const HttpRequest *request, const Validators *of, HttpFile file, const char *content_type)
{
	goffset size = file.length;
	RangeKind kind = wanted_range(request, of, &file);
	char range[96];
	if (kind == RANGE_OUTSIDE) {
		close(file.fd);
		HttpAnswer *answer = refuse(416, "the file has no such bytes");
		g_snprintf(range, sizeof(range), "bytes */%" G_GINT64_FORMAT, size);
		http_answer_header(answer, "Content-Range", range);
		return answer;
	}
	HttpAnswer *answer =
		http_answer_new_bytes(kind == RANGE_PART ? 206 : 200, content_type, NULL);
	if (kind == RANGE_PART) {
		g_snprintf(range, sizeof(range),
			"bytes %" G_GINT64_FORMAT "-%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
			file.from, file.from + file.length - 1, size);
		http_answer_header(answer, "Content-Range", range);
	}
	http_answer_set_file(answer, file);
	return answer;
}

HttpAnswer *http_answer_new_file(
	const HttpRequest *request, int folder, const char *path, const char *content_type)
{
	if (strcmp(http_request_method(request), "GET") != 0) {
		HttpAnswer *refusal = http_answer_new(
			405, "text/plain; charset=utf-8", "405: files are only read here\n", -1);
		http_answer_header(refusal, "Allow", "GET, HEAD");
		return refusal;
	}
	int fd = is_plain(path) ? open_below(folder, path) : -1;
	if (fd < 0)
		return answer_for(is_plain(path) ? errno : ENOENT);
	struct stat status;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return answer_for(ENOENT);
	}
	Validators of = validators_of(&status);
	int judged = judge_conditions(request, &of);
	HttpAnswer *answer;
	if (judged) {
		close(fd);
		answer = judged == 304 ? http_answer_new_bytes(304, NULL, NULL)
				       : refuse(412, "the file is another one");
	} else {
		HttpFile file = {.fd = fd, .length = status.st_size};
		answer = answer_whole(request, &of, file, content_type);
	}
	http_answer_header(answer, "ETag", of.tag);
	http_answer_header(answer, "Last-Modified", of.date);
	http_answer_header(answer, "Accept-Ranges", "bytes");
	return answer;
}
