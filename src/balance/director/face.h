/* SPDX-License-Identifier: ISC
 *
 * What drover-lvs answers over HTTP, as a pure function of the director's status: PyBal's shapes
 * under /pools and /alerts, its metrics and our own under /metrics, /healthz. Nothing here changes
 * anything. Rules: docs/balance.md, "Seeing and steering".
 */
#ifndef BALANCE_DIRECTOR_FACE_H
#define BALANCE_DIRECTOR_FACE_H

#include <jansson.h>

#include <glib.h>

#define FACE_MAXIMUM_HEAD_BYTES 8192 /* of a request, which is all there may be of one */

typedef struct FaceRequest {
	char *method, *target; /* as sent: "GET", "/pools/web?x" */
	char *accept;	       /* all of its Accept fields, joined with commas; NULL: none */
} FaceRequest;

/* `head` ends with the empty line. Returns 0, or the HTTP status that refuses it: 400 for what is
 * no HTTP/1, 413 for one with a body, 505 for another version. */
guint face_request_parse(const char *head, gsize size_bytes, FaceRequest *request);
void face_request_clear(FaceRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FaceRequest, face_request_clear)

typedef struct FaceAnswer {
	guint status;
	const char *type; /* of its content; static */
	char *body;
	gboolean head_only; /* HEAD: its head says how long it would be */
} FaceAnswer;

/* Requests with the same key have the same answer, as long as the status is the same. NULL: it is
 * not worth keeping. Caller frees. */
char *face_request_key(const FaceRequest *request);

/* An error that says itself: "not found". */
void face_refuse(guint status, FaceAnswer *answer);
/* `status` is director_status()'s. */
void face_answer(const json_t *status, const FaceRequest *request, FaceAnswer *answer);
void face_answer_clear(FaceAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FaceAnswer, face_answer_clear)
/* As it goes over the wire. */
GBytes *face_answer_bytes(const FaceAnswer *answer);

/* The text of /metrics. Caller frees. */
char *face_metrics_text(const json_t *status);

/* What /alerts says. */
typedef struct FaceAlerts {
	const char *status; /* "ok", "warning", "critical" */
	char *message;	    /* one line; caller frees */
} FaceAlerts;
FaceAlerts face_alerts(const json_t *status);

#endif
