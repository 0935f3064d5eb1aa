/* SPDX-License-Identifier: ISC
 *
 * What the face's files ask of a status among themselves.
 */
#ifndef BALANCE_DIRECTOR_FACE_PARTS_H
#define BALANCE_DIRECTOR_FACE_PARTS_H

#include <jansson.h>

#include <glib.h>

/* "" when it is absent. */
const char *face_text(const json_t *object, const char *field);
gboolean face_is(const json_t *object, const char *field);
/* 1 and 0 for true and false; 0 when it is absent. */
double face_number(const json_t *object, const char *field);
/* For its monitors, and it has an address. */
gboolean face_is_up(const json_t *server);

#endif
