/* SPDX-License-Identifier: ISC
 *
 * What the pages about channels and changes share. Shapes of answers: openapi.yaml.
 */
#ifndef PAGE_CHANNEL_H
#define PAGE_CHANNEL_H

#include "page/parts.h"

const char *link_to_channel(Html *html, const char *product, const char *channel);
/* Of an object with `product` and `channel`. */
const char *link_to_channel_of(Html *html, const json_t *channel);
const char *link_to_change(Html *html, gint64 id);
const char *link_to_new_rule_change(Html *html, const char *kind, gint64 rule_id);

/* "web / release" as a link. */
void channel_name(Html *html, const json_t *channel);
/* "GOOD", "PENDING" or "BAD" of a kind of standing: its shape in pictures. */
const char *standing_state(const char *kind);
/* The shape and the kind in words; with `text` also what it says. */
void standing_write(Html *html, const json_t *standing, gboolean text);
/* "needs-retest" as "needs retest". */
const char *standing_words(Html *html, const char *kind);
/* "change 12 Beta to 60.1" as a link. */
void change_link(Html *html, const json_t *change);
/* Where a change alters answers, as links; those that are everything as words. */
void change_scopes(Html *html, const json_t *change);
/* Changes as a table; `where`: with the channels that each concerns. */
void changes_table(Html *html, const PageFrame *frame, const char *caption, const json_t *changes,
	gboolean where);
/* What a rule gives: its mapping, and in quiet words its version and fallback. */
void rule_gives(Html *html, const json_t *rule);
/* The rules of a ChannelView in the order of evaluation. */
void rules_table(Html *html, const PageFrame *frame, const json_t *view);

/* The queue of a ChannelView as a picture, with where its test channels are cut. */
void queue_picture(Html *html, const json_t *view);

/* The classes of a Difference as a table, or a sentence when there are none. `name` tells this one
 * from others on the page. */
void difference_table(Html *html, const char *name, const json_t *difference);
/* A value of any kind, short; "nothing" for null. */
const char *value_words(Html *html, const json_t *value);
/* "version 60.0, platform linux", in the order of the object. */
void query_words(Html *html, const json_t *query);

/* The slider of time of a ChannelView, and what it shows now when that is the past. */
void moments_banner(Html *html, const PageFrame *frame, const json_t *view);
void moments_write(Html *html, const PageFrame *frame, const json_t *view);

/* What can be done with a change: sign, say tested, move, override, … */
void change_deeds(Html *html, const PageFrame *frame, const json_t *detail);
/* Its words, content, sign-offs, tests, gates and conflicts. */
void change_words(Html *html, const json_t *detail);
void change_content(Html *html, const json_t *detail);
void change_agreement(Html *html, const PageFrame *frame, const json_t *detail);
void change_obstacles(Html *html, const PageFrame *frame, const json_t *detail);

/* For the first page: channels that are shut off, and what waits. NULL, or no channels: nothing. */
void channels_section(Html *html, const PageFrame *frame, const json_t *channels);

#endif
