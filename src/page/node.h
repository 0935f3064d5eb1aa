/* SPDX-License-Identifier: ISC
 *
 * What the pages about nodes share. A node is a machine that runs products; what it is said to be
 * doing with one of them is one of
 *
 *     good  behind  working  maintenance  failed  silent  never
 *
 * each with a word, a colour and a shape of its own.
 */
#ifndef PAGE_NODE_H
#define PAGE_NODE_H

#include "page/parts.h"

#define NODES_SHOWN 200 /* in one list */

const char *link_to_node(Html *html, const char *node);
/* The shape and the word of a state. */
void node_state(Html *html, const char *state);
/* What somebody should look at first has the lowest number. */
int node_urgency(const char *state);
/* The states of these places (a node's products) as a bar with a legend. */
void node_bar(Html *html, const GPtrArray *places);
/* The version that it is to run: an order's, else its channel's; NULL: it stays as it is. */
const char *node_target(const json_t *place);
/* How far an installation is; nothing when that is not known. `place` is of a Node's products. */
void node_progress(Html *html, const json_t *place);
/* What went wrong, unless the place's own text says so. */
void node_error(Html *html, const json_t *place);
/* What answers instead of the service, since when and why; nothing when nothing does. */
void node_maintenance(Html *html, const json_t *place);
/* Whether the node's clock is off; a dash while it is not known. */
void node_clock(Html *html, const json_t *host);
/* What of a product a node ran, from its events. */
void node_timeline(Html *html, const PageFrame *frame, const char *product, const json_t *events);
/* For the first page: how many nodes are well, and which are not. NULL, or none: nothing. */
void nodes_section(Html *html, const PageFrame *frame, const json_t *nodes);

#endif
