/* SPDX-License-Identifier: ISC
 *
 * How rules look on a terminal.
 */
#ifndef DROVER_RULE_H
#define DROVER_RULE_H

#include "programs/terminal/screen.h"

/* Rows of rules as a table with a line each, in the order of evaluation. */
void rule_show_list(const Screen *screen, const json_t *rows);

#endif
