/* SPDX-License-Identifier: ISC
 *
 * How nodes look on a terminal: the API's Node, several and one.
 */
#ifndef DROVER_NODE_SHOW_H
#define DROVER_NODE_SHOW_H

#include "programs/terminal/screen.h"
#include "wire/json.h"

void node_show_list(const Screen *screen, const json_t *nodes);
void node_show_one(const Screen *screen, const json_t *node);

#endif
