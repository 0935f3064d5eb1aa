/* SPDX-License-Identifier: ISC
 *
 * One mail to one recipient by SMTP (libcurl). The caller stores "sending" before, and the outcome
 * after.
 */
#ifndef WIRE_MAIL_H
#define WIRE_MAIL_H

#include "base/error.h"

#define MAIL_MAXIMUM_ADDRESS_BYTES 254

typedef struct MailServer {
	/* smtp://host:25, smtps://host:465. smtp:// upgrades by STARTTLS when offered; the
	 * certificate is then only checked when require_tls, a password or a ca_file is given:
	 * without, plain text would do, too. */
	const char *url;
	const char *user; /* NULL for none */
	const char *password;
	const char *ca_file; /* NULL: the system's */
	gboolean require_tls;
	guint timeout_ms; /* for the whole exchange; 0: 30,000 */
} MailServer;

typedef struct Mail {
	const char *from; /* "drover@example.org" or "Drover <drover@example.org>" */
	const char *to;
	const char *subject;	 /* any UTF-8; encoded as RFC 2047 where needed */
	const char *body;	 /* UTF-8, LF line ends */
	const char *message_id;	 /* without <> */
	const char *in_reply_to; /* NULL for none */
	gint64 date_us;
} Mail;

typedef enum MailOutcome {
	MAIL_SENT,
	MAIL_REJECTED, /* the server's final word (5xx on the recipient or the data): do not try
			  again */
	MAIL_LATER,    /* refused for now, the server is away, or it does not accept us: nothing was
			  taken */
	MAIL_UNKNOWN,  /* broke after DATA was sent: it may have arrived; repeat with the same
			  Message-ID */
} MailOutcome;

/* The message as it goes over the wire, CRLF, headers folded; header injection is impossible:
 * control characters are dropped. Auto-Submitted is set. Caller frees. */
char *mail_compose(const Mail *mail);
/* "name@domain" in ASCII: one @ with something on both sides, no blanks, control characters or any
 * of <>(),;:"\, at most MAIL_MAXIMUM_ADDRESS_BYTES. */
gboolean mail_address_is_valid(const char *address);
/* Always gives an outcome; *problem (caller frees) says in words what was wrong, NULL when sent. */
MailOutcome mail_send(const MailServer *server, const Mail *mail, char **problem);

#endif
