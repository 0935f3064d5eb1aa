/* SPDX-License-Identifier: ISC
 *
 * A TCP server on 127.0.0.1 for conversations: a function of the test's is called when somebody has
 * connected, and each time that more was heard, and says what it likes.
 */
#ifndef TEST_PARTNER_H
#define TEST_PARTNER_H

#include <glib.h>

#include "balance/address.h"

struct event_base;

typedef struct Partner Partner;

typedef struct PartnerLine {
	Partner *partner;
	struct bufferevent *stream;
	GString *heard; /* the test may cut what it has understood */
	guint step;	/* the test's: 0 at first */
} PartnerLine;

typedef void (*PartnerHears)(PartnerLine *line, gpointer of);

Partner *partner_new(struct event_base *base, PartnerHears hears, gpointer of);
/* Hangs up whoever is there. */
void partner_free(Partner *partner);
Address partner_address(const Partner *partner);
guint16 partner_port(const Partner *partner);
/* So far. */
guint partner_connections(const Partner *partner);
/* Nobody is connected any more: turns the loop until it is so. */
void partner_await_quiet(Partner *partner);

void partner_say(PartnerLine *line, const char *text);
void partner_say_bytes(PartnerLine *line, const void *bytes, gsize size_bytes);
/* The line is gone after these. */
void partner_hang_up(PartnerLine *line);
void partner_reset(PartnerLine *line);
/* All of them. */
void partner_hang_up_all(Partner *partner);
void partner_reset_all(Partner *partner);

#endif
