/* SPDX-License-Identifier: ISC
 *
 * A name server on 127.0.0.1 that does what a test wants, in the test's own loop: over UDP and TCP
 * on one port. A function of the test's writes each answer, or none, or a lie.
 */
#ifndef TEST_NAMESERVER_H
#define TEST_NAMESERVER_H

#include <glib.h>
#include <netinet/in.h>

struct event_base;

typedef struct NameserverQuestion {
	const guint8 *bytes; /* without the length that goes before it over TCP */
	gsize size_bytes;
	char name[256]; /* asked for, in lower case: "a.example" */
	guint16 type;
	gboolean tcp;
	struct sockaddr_in from;
	int fd; /* on which it came: for more packets than one */
} NameserverQuestion;

/* FALSE: silence. */
typedef gboolean (*NameserverAnswer)(
	const NameserverQuestion *question, GByteArray *reply, gpointer of);

typedef struct Nameserver Nameserver;

Nameserver *nameserver_new(struct event_base *base, NameserverAnswer answer, gpointer of);
void nameserver_free(Nameserver *server);
guint16 nameserver_port(const Nameserver *server);

/* Header and question: of the question's id and words. `rcode` 0 is NOERROR, 2 SERVFAIL, 3
 * NXDOMAIN, 5 REFUSED. */
void nameserver_begin(GByteArray *reply, const NameserverQuestion *question, guint8 rcode);
/* One more A or AAAA record for the name asked for. */
void nameserver_add(GByteArray *reply, const char *address, guint32 ttl_s);

#endif
