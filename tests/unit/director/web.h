/* SPDX-License-Identifier: ISC
 *
 * A web server in a test's hands, in the test's own loop: raw bytes in, raw bytes out, and any
 * manners. And names without name servers: what monitor/resolver.h promises, answered from a table.
 */
#ifndef TEST_WEB_H
#define TEST_WEB_H

#include <event2/bufferevent.h>
#include <glib.h>

#define WEB_PATIENCE_MS 20000 /* whatever never comes fails the test then */

typedef struct Web Web;
typedef struct bufferevent WebVisitor;

/* A whole request has come: its header, and its body as Content-Length says. */
typedef void (*WebAnswer)(WebVisitor *visitor, const char *request, gpointer of);

/* On 127.0.0.1, port 0: any. */
Web *web_new(struct event_base *base, guint16 port, WebAnswer answer, gpointer of);
void web_free(Web *web);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Web, web_free)
guint16 web_port(const Web *web);
/* How many connections there have been, and how many are open. */
guint web_connections(const Web *web);
guint web_open(const Web *web);
/* "http://127.0.0.1:PORT/path". Caller frees. */
char *web_url(const Web *web, const char *path);

void web_say(WebVisitor *visitor, const char *bytes);
/* "HTTP/1.1 STATUS …", `header` (each line with its end; NULL: none), the body's length, the body.
 */
void web_answer(WebVisitor *visitor, int status, const char *header, const char *body);
/* Closes when everything is written. */
void web_close(WebVisitor *visitor);
/* Closes with a reset. */
void web_reset(WebVisitor *visitor);
/* What follows the empty line. */
const char *web_body(const char *request);

/* Turns the loop until `*until` is at least `count`, or fails. */
void web_run(struct event_base *base, const guint *until, guint count);
/* Turns the loop for a while in which nothing is hoped for. */
void web_idle(struct event_base *base, guint time_ms);

/* The table of names: of this one NAME is `address`; "": it does not exist; NULL: silence. */
void web_name(const char *name, const char *address);
/* Lookups since the last web_forget_names(). */
guint web_lookups(void);
void web_forget_names(void);

#endif
