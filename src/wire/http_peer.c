/* SPDX-License-Identifier: ISC
 *
 * One connection of our own loop: its requests are answered in order, as fast as it takes the
 * answers.
 *
 *     read      what came, behind what is left of a request that was not whole
 *     answer    every whole request: its head and a small body go to the loop's buffer
 *     flush     the buffer, and then the body that was too large for it, or the file
 *     keep      what does not fill a request yet, or could not be sent yet
 *
 * Between events a peer that is quiet holds no buffer at all: ten thousand of them cost little. A
 * peer that does not take its answers is asked for nothing more until it has. When we close first,
 * and there may be bytes on their way to us, the peer lingers: closing at once would throw away the
 * answer with them (RFC 9112, 9.6).
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/http_loop.h"
#include "wire/http_parse.h"

#define OUT_ENOUGH_BYTES (32 * 1024) /* of answers, before they are sent */
#define SMALL_BODY_BYTES                                                                           \
	(8 * 1024) /* copied behind its head; a larger one is sent from its place */
#define FILE_STEP_BYTES (256 * 1024) /* of a file, before others have their turn */

struct HttpPeer {
	GList link; /* in the loop's list of its phase */
	HttpLoop *loop;
	HttpPeerPhase phase;
	int fd;
	gboolean is_blocked; /* waits until it can be written to */
	gboolean is_last;    /* closes when all is sent */
	gboolean lingers;    /* or lingers */
	gint64 since_ms;
	char *origin, *address;
	GByteArray *in;	  /* begun request; NULL: none */
	gsize line;	  /* how far its lines were seen */
	GString *out;	  /* not sent yet; NULL: none */
	gsize sent;	  /* of `out`, or of the loop's */
	HttpAnswer *tail; /* its body follows when `out` is sent; NULL: none */
	goffset tail_sent;
	goffset moved; /* of a file, since since_ms; of what it sent while it lingers */
};

/* -- its place
 * ------------------------------------------------------------------------------------------ */

static void move_to(HttpPeer *peer, HttpPeerPhase phase, gint64 since_ms)
{
	g_queue_unlink(&peer->loop->peers[peer->phase], &peer->link);
	peer->phase = phase;
	peer->since_ms = since_ms;
	g_queue_push_tail_link(&peer->loop->peers[phase], &peer->link);
}

static void wait_for(HttpPeer *peer, gboolean is_blocked)
{
	if (peer->is_blocked == is_blocked)
		return;
	struct epoll_event event = {.events = is_blocked ? EPOLLOUT : EPOLLIN, .data.ptr = peer};
	int changed = epoll_ctl(peer->loop->epoll, EPOLL_CTL_MOD, peer->fd, &event);
	g_assert(changed == 0);
	peer->is_blocked = is_blocked;
}

/* The socket closes at once, the memory stays: whoever still holds the peer (a function further up,
 * an event of the same batch) sees that it is gone. */
void http_peer_close(HttpPeer *peer)
{
	HttpLoop *loop = peer->loop;
	g_assert(peer->phase != HTTP_PEER_GONE);
	move_to(peer, HTTP_PEER_GONE, loop->now_ms);
	/* Closing alone would leave it in epoll as long as anybody else has the socket open, be it
	 * for the moment between a fork and its exec. */
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, peer->fd, NULL);
	close(peer->fd);
	peer->fd = -1;
	http_loop_leave(loop, peer->origin);
}

static void peer_free(HttpPeer *peer)
{
	g_clear_pointer(&peer->in, g_byte_array_unref);
	if (peer->out)
		g_string_free(peer->out, TRUE);
	http_answer_free(peer->tail);
	g_free(peer->origin);
	g_free(peer->address);
	g_free(peer);
}

void http_peers_free_gone(HttpLoop *loop)
{
	const GList *link;
	while ((link = g_queue_pop_head_link(&loop->peers[HTTP_PEER_GONE])) != NULL)
		peer_free(link->data);
}

/* What the kernel still holds for it is thrown away. */
void http_peer_cut(HttpPeer *peer)
{
	struct linger none = {.l_onoff = 1};
	setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	http_peer_close(peer);
}

void http_peer_begin(HttpLoop *loop, int fd, const struct sockaddr *address, char *origin)
{
	struct epoll_event event = {.events = EPOLLIN};
	HttpPeer *peer = g_new0(HttpPeer, 1);
	*peer = (HttpPeer){.loop = loop,
		.fd = fd,
		.origin = origin,
		.address = http_address_text(address),
		.since_ms = loop->now_ms};
	peer->link.data = event.data.ptr = peer;
	g_queue_push_tail_link(&loop->peers[HTTP_PEER_QUIET], &peer->link);
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		http_peer_cut(peer);
}

gint64 http_peer_since_ms(const HttpPeer *peer)
{
	return peer->since_ms;
}

/* -- sending
 * ---------------------------------------------------------------------------------------- */

typedef enum Sent { SENT_ALL, SENT_PART, SENT_NOTHING_MORE } Sent;

static Sent after_failure(void)
{
	return errno == EAGAIN || errno == EINTR ? SENT_PART : SENT_NOTHING_MORE;
}

static Sent send_bytes(HttpPeer *peer, const char *bytes, gsize size_bytes, int flags)
{
	ssize_t sent = send(peer->fd, bytes, size_bytes, MSG_NOSIGNAL | flags);
	if (sent < 0)
		return after_failure();
	peer->sent += (gsize)sent;
	return (gsize)sent == size_bytes ? SENT_ALL : SENT_PART;
}

static Sent send_file(HttpPeer *peer, const HttpFile *file)
{
	goffset left = file->length - peer->tail_sent;
	off_t from = file->from + peer->tail_sent;
	ssize_t sent = sendfile(peer->fd, file->fd, &from, (gsize)MIN(left, FILE_STEP_BYTES));
	if (sent < 0)
		return after_failure();
	if (sent == 0)
		return SENT_NOTHING_MORE; /* the file has become shorter */
	peer->tail_sent += sent;
	peer->moved += sent;
	return sent == left ? SENT_ALL : SENT_PART;
}

static Sent send_tail(HttpPeer *peer)
{
	const HttpFile *file = http_answer_file(peer->tail);
	if (file->fd >= 0)
		return send_file(peer, file);
	gsize length = 0;
	const char *body = g_bytes_get_data(http_answer_body(peer->tail), &length);
	Sent sent = send_bytes(peer, body + peer->tail_sent, length - (gsize)peer->tail_sent, 0);
	peer->tail_sent += (goffset)peer->sent;
	peer->sent = 0;
	return sent;
}

/* What the loop's buffer holds of it is its own now. */
static void keep_out(HttpPeer *peer)
{
	GString *out = peer->loop->out;
	if (!peer->out && out->len > 0)
		peer->out =
			g_string_new_len(out->str + peer->sent, (gssize)(out->len - peer->sent));
	else if (peer->out)
		g_string_erase(peer->out, 0, (gssize)peer->sent);
	peer->sent = 0;
	g_string_truncate(out, 0);
}

static Sent send_out(HttpPeer *peer)
{
	GString *out = peer->out ? peer->out : peer->loop->out;
	Sent sent = SENT_ALL;
	if (out->len > 0)
		sent = send_bytes(peer, out->str + peer->sent, out->len - peer->sent,
			peer->tail ? MSG_MORE : 0);
	if (sent != SENT_ALL)
		return sent;
	if (peer->out) {
		g_string_free(peer->out, TRUE);
		peer->out = NULL;
	} else {
		g_string_truncate(out, 0);
	}
	peer->sent = 0;
	return SENT_ALL;
}

/* FALSE when the peer has gone. */
static gboolean flush(HttpPeer *peer)
{
	Sent sent = send_out(peer);
	if (sent == SENT_ALL && peer->tail) {
		sent = send_tail(peer);
		if (sent == SENT_ALL)
			g_clear_pointer(&peer->tail, http_answer_free);
	}
	if (sent == SENT_NOTHING_MORE) {
		g_string_truncate(peer->loop->out, 0);
		http_peer_cut(peer);
		return FALSE;
	}
	if (sent == SENT_PART)
		keep_out(peer);
	wait_for(peer, sent == SENT_PART);
	return TRUE;
}

/* -- answering
 * -------------------------------------------------------------------------------------- */

static void write_answer(HttpPeer *peer, HttpAnswer *answer, const HttpRequest *request)
{
	HttpLoop *loop = peer->loop;
	int status = http_answer_status(answer);
	g_assert(!http_answer_wait(answer) && !http_answer_stream(answer));
	http_loop_count(&loop->requests);
	http_loop_count(&loop->by_class[status / 100]);
	HttpWriting how = {.date = http_loop_date(loop),
		.is_head = request->is_head,
		.is_last = peer->is_last,
		.is_old = request->is_old};
	http_write_head(loop->out, answer, &how);
	goffset length =
		status == 204 || status == 304 || how.is_head ? 0 : http_write_length(answer);
	gboolean is_small = http_answer_file(answer)->fd < 0 && length <= SMALL_BODY_BYTES;
	if (length > 0 && is_small)
		g_string_append_len(loop->out, g_bytes_get_data(http_answer_body(answer), NULL),
			(gssize)length);
	if (length == 0 || is_small) {
		http_answer_free(answer);
		return;
	}
	peer->tail = answer;
	peer->tail_sent = peer->moved = 0;
}

static void refuse(HttpPeer *peer, HttpRefusal refusal)
{
	peer->is_last = peer->lingers = TRUE;
	write_answer(peer, http_answer_new_refusal(refusal.status, refusal.reason),
		&peer->loop->request);
}

static gboolean has_body(const HttpRequest *request)
{
	return http_check_declared_length(request) > 0 ||
	       http_request_header(request, "Transfer-Encoding") != NULL;
}

static void handle(HttpPeer *peer)
{
	HttpLoop *loop = peer->loop;
	HttpRequest *request = &loop->request;
	const HttpServerOptions *options = &loop->all->options;
	if (has_body(request)) {
		refuse(peer, (HttpRefusal){413, "requests have no body here"});
		return;
	}
	request->body = g_bytes_ref(loop->no_body);
	request->peer = peer->address;
	if (options->behind_proxy)
		http_request_believe_proxy(request);
	peer->is_last = request->is_last || http_loop_is_stopping(loop);
	write_answer(peer, options->handler(request, options->of), request);
}

/* FALSE when there is no whole request. */
static gboolean answer_one(HttpPeer *peer, char *bytes, gsize size_bytes, gsize *at)
{
	HttpRefusal refusal;
	if (peer->line == 0 && size_bytes - *at >= 2 && memcmp(bytes + *at, "\r\n", 2) == 0)
		*at += 2; /* one empty line before a request is overlooked (RFC 9112, 2.2) */
	gsize head_bytes =
		http_parse_find_end(bytes + *at, size_bytes - *at, &peer->line, &refusal);
	if (head_bytes == 0 && refusal.status == 0)
		return FALSE;
	if (head_bytes > 0)
		refusal = http_parse_head(bytes + *at, head_bytes, &peer->loop->request);
	if (refusal.status)
		refuse(peer, refusal);
	else
		handle(peer);
	http_request_clear(&peer->loop->request);
	peer->line = 0;
	*at += head_bytes;
	return TRUE;
}

static gboolean is_full(const HttpPeer *peer)
{
	return peer->is_last || peer->tail || peer->loop->out->len >= OUT_ENOUGH_BYTES;
}

/* All is sent that shall be. */
static void finish(HttpPeer *peer)
{
	if (!peer->lingers) {
		http_peer_close(peer);
		return;
	}
	shutdown(peer->fd, SHUT_WR);
	peer->moved = 0;
	move_to(peer, HTTP_PEER_LINGER, peer->loop->now_ms);
}

/* Until more comes from the peer, or goes to it. */
static void rest(HttpPeer *peer, const char *bytes, gsize size_bytes, gboolean has_answered)
{
	gint64 now_ms = peer->loop->now_ms;
	if (peer->is_last && size_bytes > 0)
		peer->lingers = TRUE;
	if (peer->is_last && !peer->is_blocked) {
		finish(peer);
		return;
	}
	if (!peer->is_last && size_bytes > 0) {
		peer->in = g_byte_array_sized_new((guint)size_bytes);
		g_byte_array_append(peer->in, (const guint8 *)bytes, (guint)size_bytes);
	}
	HttpPeerPhase phase = HTTP_PEER_QUIET;
	if (peer->tail && http_answer_file(peer->tail)->fd >= 0)
		phase = HTTP_PEER_FILE;
	else if (peer->is_blocked || size_bytes > 0)
		phase = HTTP_PEER_REQUEST;
	/* What only goes on keeps its time, and its place in the list. */
	if (has_answered || phase != peer->phase)
		move_to(peer, phase, now_ms);
}

static void advance(HttpPeer *peer, char *bytes, gsize size_bytes)
{
	gsize at = 0;
	gboolean more = TRUE, has_answered = FALSE;
	while (more && !peer->is_blocked && !peer->is_last) {
		while (!is_full(peer) && (more = answer_one(peer, bytes, size_bytes, &at)))
			has_answered = TRUE;
		if (!flush(peer))
			return;
	}
	rest(peer, bytes + at, size_bytes - at, has_answered);
}

/* -- events
 * ----------------------------------------------------------------------------------------- */

/* Behind what is kept. FALSE when nothing came; the peer may have gone then. */
static gboolean receive(HttpPeer *peer, gsize *size_bytes)
{
	HttpLoop *loop = peer->loop;
	gsize kept = peer->in ? peer->in->len : 0;
	ssize_t got = recv(peer->fd, loop->in + kept, sizeof(loop->in) - kept, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return FALSE;
	if (got <= 0) {
		http_peer_close(peer);
		return FALSE;
	}
	if (kept > 0)
		memcpy(loop->in, peer->in->data, kept);
	g_clear_pointer(&peer->in, g_byte_array_unref);
	*size_bytes = kept + (gsize)got;
	return TRUE;
}

/* Nobody reads it. */
static void drain(HttpPeer *peer)
{
	ssize_t got = recv(peer->fd, peer->loop->in, sizeof(peer->loop->in), 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	peer->moved += MAX(got, 0);
	if (got <= 0 || peer->moved > HTTP_LINGER_BYTES)
		http_peer_close(peer);
}

/* What is kept of requests is answered when the answers before are out. */
static void go_on_writing(HttpPeer *peer)
{
	if (!flush(peer) || peer->is_blocked)
		return;
	move_to(peer, HTTP_PEER_QUIET, peer->loop->now_ms);
	gsize kept = peer->in ? peer->in->len : 0;
	if (kept > 0)
		memcpy(peer->loop->in, peer->in->data, kept);
	g_clear_pointer(&peer->in, g_byte_array_unref);
	if (peer->is_last)
		finish(peer);
	else if (kept > 0)
		advance(peer, peer->loop->in, kept);
}

void http_peer_go_on(HttpPeer *peer)
{
	gsize size_bytes = 0;
	if (peer->phase == HTTP_PEER_GONE)
		return;
	if (peer->phase == HTTP_PEER_LINGER)
		drain(peer);
	else if (peer->is_blocked)
		go_on_writing(peer);
	else if (receive(peer, &size_bytes))
		advance(peer, peer->loop->in, size_bytes);
}

void http_peer_expire(HttpPeer *peer)
{
	if (peer->phase == HTTP_PEER_FILE && peer->moved >= HTTP_FILE_LEAST_BYTES) {
		peer->moved = 0;
		move_to(peer, HTTP_PEER_FILE, peer->loop->now_ms);
		return;
	}
	if (peer->phase == HTTP_PEER_REQUEST || peer->phase == HTTP_PEER_FILE)
		http_loop_count(&peer->loop->deadlines_passed);
	if (peer->phase == HTTP_PEER_QUIET)
		http_peer_close(peer);
	else
		http_peer_cut(peer);
}
