/* SPDX-License-Identifier: ISC
 *
 * The other end of a connection, in a test's hands: raw bytes out, raw bytes in. Whatever never
 * comes fails the test after PEER_PATIENCE_MS.
 */
#ifndef TEST_PEER_H
#define TEST_PEER_H

#include <glib.h>

#define PEER_PATIENCE_MS 20000

/* To 127.0.0.1. */
int peer_connect(guint16 port);
void peer_send(int fd, const char *text);
void peer_send_bytes(int fd, const void *bytes, gsize size_bytes);
/* One answer: its header, and as many bytes as Content-Length says. NULL when the peer closed
 * before a header was whole. Caller frees. */
char *peer_read_answer(int fd);
/* The same to a HEAD request: the header alone. */
char *peer_read_head(int fd);
/* Until `text` has come; what came up to its end. NULL when the peer closed before. Caller frees.
 */
char *peer_read_until(int fd, const char *text);
/* Until the peer closes. Caller frees. */
char *peer_read_all(int fd);
/* Connects, sends, reads one answer, closes. NULL as in peer_read_answer(). Caller frees. */
char *peer_ask(guint16 port, const char *text);
/* The status in an answer's first line; 0 for NULL. */
int peer_status(const char *answer);
/* What follows the empty line. */
const char *peer_body(const char *answer);
/* TRUE when the peer closes within the patience; what it sends before is thrown away. */
gboolean peer_is_closed(int fd);
/* A certificate for 127.0.0.1 that signs itself, by the openssl command. FALSE when there is no
 * such command. */
gboolean peer_make_certificate(const char *certificate_file, const char *key_file);

#endif
