/* SPDX-License-Identifier: ISC
 *
 * An event loop in a test's hands: it turns until something is true. What never becomes true fails
 * the test after LOOP_PATIENCE_MS.
 */
#ifndef TEST_LOOP_H
#define TEST_LOOP_H

#include <event2/event.h>
#include <glib.h>

#define LOOP_PATIENCE_MS 20000

/* Turns until *what is at least `number`. */
void loop_until(struct event_base *base, const guint *what, guint number);
/* Turns until the function says so. It is asked at least every few milliseconds. */
void loop_until_true(struct event_base *base, gboolean (*is_so)(gpointer of), gpointer of);
/* Turns for some time: for what must not happen. */
void loop_for_ms(struct event_base *base, int time_ms);

#endif
