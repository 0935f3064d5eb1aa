/* SPDX-License-Identifier: ISC
 *
 * What the responder says, and to whom: from the head of a request to the bytes of an answer. Pure.
 */
#ifndef NODE_HOLD_RESPOND_ANSWER_H
#define NODE_HOLD_RESPOND_ANSWER_H

#include "node/config.h"

#define RESPOND_MAXIMUM_HEAD_BYTES 16384 /* of a request; what is longer is answered as it is */
#define RESPOND_MAXIMUM_PAGE_BYTES 1048576
#define RESPOND_AWAY_S		   30	 /* told to clients when no end of the window is known */
#define RESPOND_MAXIMUM_AWAY_S	   86400 /* never more than this, however long the window */
#define RESPOND_SPREAD_PERCENT	   20

typedef enum RespondForm { RESPOND_PLAIN, RESPOND_JSON, RESPOND_HTML } RespondForm;

typedef struct RespondAsked {
	gboolean is_head;   /* HEAD: no body */
	gboolean is_health; /* of the service's health path */
	RespondForm form;
} RespondAsked;

typedef struct RespondWindow {
	gboolean in_maintenance; /* else: the service is away */
	const char *reason;	 /* for people; may be NULL */
	gint64 until_us;	 /* 0: not known */
	const char *page;	 /* HTML of the product's own; NULL: ours */
} RespondWindow;

/* Where a head ends, just behind its empty line; 0: not yet. */
gsize respond_head_end(const char *text, gsize size_bytes);
/* What a request asks for. Any bytes: what is no HTTP asks for plain text. */
RespondAsked respond_asked(const char *head, gsize size_bytes, const char *health_path);
/* Seconds: the rest of the window and 0 to RESPOND_SPREAD_PERCENT of it, by `lot`. */
gint64 respond_away_s(const RespondWindow *window, gint64 now_us, guint64 lot);
/* Sixty-four well mixed bits of an address and a number. */
guint64 respond_lot(const void *address, gsize size_bytes, guint64 number);
/* The whole answer. */
GString *respond_answer(const NodeProduct *product, const RespondWindow *window,
	const RespondAsked *asked, gint64 away_s);

#endif
