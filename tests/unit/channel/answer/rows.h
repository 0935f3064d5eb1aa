/* SPDX-License-Identifier: ISC
 *
 * States and queues as tests write them: JSON with ' for ".
 */
#ifndef TESTS_CHANNEL_ANSWER_ROWS_H
#define TESTS_CHANNEL_ANSWER_ROWS_H

#include "channel/answer/published.h"

typedef json_t RowsJson;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RowsJson, json_decref)

/* New reference. Text that is no JSON fails the test, as all else here that does not work. */
json_t *rows_json(const char *text);
/* {"rules": […], "releases": […], "products": […], "channels": […], …, "pending": […]}. */
Published *rows_published(const char *text);

#endif
