/* SPDX-License-Identifier: ISC
 *
 * A whole answer of the public address: from what was asked to the bytes that go out and what its
 * head says of them. Pure: the draw for clients without an id is an argument.
 *
 * docs/answers.md
 */
#ifndef CHANNEL_ANSWER_UPDATE_ANSWER_H
#define CHANNEL_ANSWER_UPDATE_ANSWER_H

#include "channel/answer/offer.h"

#define UPDATE_MAX_AGE_S 60 /* how long caches may keep an answer that no draw decided */

typedef enum UpdateOutcome {
	UPDATE_OFFERED, /* there is something to have */
	UPDATE_NOTHING,
	UPDATE_UNDEFINED, /* a test channel that has no answer now */
	UPDATE_REFUSED,	  /* the release's files are of hosts that the product does not allow */
} UpdateOutcome;

/* Of `published` and what was asked, which must live as long. Not to be copied: see Place. */
typedef struct UpdateAnswer {
	const Asked *asked;
	Place place;
	gint64 generation;
	const char *digest; /* of a test channel, and for nodes; may be NULL, see published_digest()
			     */
	UpdateOutcome outcome;
	Answer decided;
	const char *why; /* a sentence without its full stop */
	Offer offer;
	gboolean is_private; /* a draw decided: caches must not share it */
	const char *content_type;
	char *body;
	gsize body_bytes;
	char tag[33]; /* of the body, in hexadecimal digits */
} UpdateAnswer;

/* The answer without its body, for who needs no bytes: content_type, body and tag stay empty.
 * Otherwise as update_answer_make(). */
gboolean update_answer_decide(const Published *published, const char *base_url, Asked *asked,
	guint draw, UpdateAnswer *answer, GError **error);
/* `draw`: 0 to 99, good chance. Puts version, channel and draw into the query of `asked`. Fails
 * with DROVER_ERROR_INPUT when the version is none in the product's scheme. *answer is
 * overwritten. */
gboolean update_answer_make(const Published *published, const char *base_url, Asked *asked,
	guint draw, UpdateAnswer *answer, GError **error);
void update_answer_clear(UpdateAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(UpdateAnswer, update_answer_clear)

/* The bodies. Callers free. */
char *update_answer_xml(const UpdateAnswer *answer);
char *update_answer_json(const UpdateAnswer *answer);
char *update_answer_node(const UpdateAnswer *answer);

#endif
