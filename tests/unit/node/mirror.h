/* SPDX-License-Identifier: ISC
 *
 * A web server in a test's hands: a thread of its own, one visitor at a time, raw bytes out, any
 * manners.
 */
#ifndef TEST_MIRROR_H
#define TEST_MIRROR_H

#include <glib.h>

typedef struct Mirror Mirror;

typedef struct MirrorVisit {
	int fd;
	guint number;	    /* of the visit, from 0 */
	const char *header; /* as it came */
	gint64 from_bytes;  /* "Range: bytes=100-" is 100; none is 0 */
} MirrorVisit;

/* From the server's thread. The connection is closed afterwards. */
typedef void (*MirrorAnswer)(const MirrorVisit *visit, gpointer of);

/* On 127.0.0.1, any port. */
Mirror *mirror_new(MirrorAnswer answer, gpointer of);
/* After its last visit. */
void mirror_free(Mirror *mirror);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Mirror, mirror_free)
/* "http://127.0.0.1:PORT/repository". */
const char *mirror_url(const Mirror *mirror);
/* How many visits there have been, and where visit `number` began to read; -1: there was none. */
guint mirror_visits(Mirror *mirror);
gint64 mirror_from(Mirror *mirror, guint number);

void mirror_say(const MirrorVisit *visit, const char *text);
void mirror_send(const MirrorVisit *visit, const char *bytes, gsize size_bytes);
/* As a good server answers: the whole, or the part that was asked for. */
void mirror_serve(const MirrorVisit *visit, const char *bytes, gsize size_bytes);
/* The same header, but only the first `sent_bytes` after it. */
void mirror_break_off(
	const MirrorVisit *visit, const char *bytes, gsize size_bytes, gsize sent_bytes);
/* Says nothing more until the visitor goes. */
void mirror_hang(const MirrorVisit *visit);

#endif
