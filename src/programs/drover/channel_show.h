/* SPDX-License-Identifier: ISC
 *
 * How channels look on a terminal: what they answer and why, whose answers differ, what waits.
 * Shapes are those of src/api/openapi.yaml and, where a file can be asked too, of src/channel.
 */
#ifndef DROVER_CHANNEL_SHOW_H
#define DROVER_CHANNEL_SHOW_H

#include "programs/terminal/screen.h"

/* explain.h: each rule in the order of evaluation. */
void channel_show_explanation(const Screen *screen, const json_t *explained);
/* lint.h: a list of findings. */
void channel_show_findings(const Screen *screen, const json_t *findings);
/* difference.h: a list of classes of queries. */
void channel_show_classes(const Screen *screen, const json_t *classes);
/* A Difference: its classes, or that there is none. */
void channel_show_difference(const Screen *screen, const json_t *difference);

/* An Answer. */
void channel_show_answer(const Screen *screen, const json_t *answer);
/* Channel objects as a table with a line each. */
void channel_show_list(const Screen *screen, const json_t *channels);
/* A ChannelView. */
void channel_show_view(const Screen *screen, const json_t *view);

#endif
