/* SPDX-License-Identifier: ISC
 *
 * The room's inner door: a page is a function from the API's answers (openapi.yaml) and a frame to
 * a whole HTML document. It asks nothing, knows no clock but the frame's, and is the same for a
 * browser, a test and the static report. Answers are borrowed; the text returned is the caller's.
 *
 * docs/pages.md
 */
#ifndef PAGE_VIEW_H
#define PAGE_VIEW_H

#include "api/actor.h"
#include "base/clock.h"
#include "page/html.h"
#include "wire/json.h"

/* A form that was sent and refused: what was typed comes back, and the refusal stands at the form.
 */
typedef struct PageForm {
	const char *id;	    /* which form of the page; the field "form" */
	GHashTable *fields; /* char * to char * */
	const char *problem;
} PageForm;

typedef struct PageFrame {
	const Actor *actor; /* NULL: nobody is logged in */
	const char *csrf;   /* what this session's forms carry; NULL without a session */
	const char *path;   /* of the request, for the navigation; never used as a link unescaped */
	const char *address;  /* where this page is read, when it answers a form sent elsewhere; or
				 NULL */
	const char *flash;    /* a sentence of flash_sentence(), or NULL */
	const json_t *status; /* Status; NULL when the actor may not see it */
	const PageForm *form; /* NULL: none was refused */
	gint64 now_us;
	GHashTable *report; /* static report: the set of its files and anchors ("x.html",
			       "x.html#landing-3"), with which links are made; NULL: live pages */
} PageFrame;

/* `products`: Product objects, each with its "releases" when the actor may see them; `pools`:
 * PoolSummary, `channels`: Channel, `nodes`: Node objects; NULL when the actor may not see them. */
char *page_overview(const PageFrame *frame, const json_t *products, const json_t *pools,
	const json_t *channels, const json_t *nodes);
char *page_product(const PageFrame *frame, const json_t *product);
/* `query` is what was asked: before, state, author. */
char *page_landings(const PageFrame *frame, const json_t *list, GHashTable *query);
char *page_landing(const PageFrame *frame, const json_t *detail);
char *page_where(const PageFrame *frame, const char *product, const json_t *answer);
char *page_history(
	const PageFrame *frame, const json_t *list, const json_t *verdict, GHashTable *query);
char *page_history_entry(const PageFrame *frame, const json_t *entry);
char *page_people(const PageFrame *frame, const json_t *people);
/* `link`: a LoginLink that was just made, or NULL. */
char *page_person(const PageFrame *frame, const json_t *person, const json_t *link);
/* `created`: a NewToken, whose secret is shown this once, or NULL. */
char *page_tokens(const PageFrame *frame, const json_t *tokens, const json_t *created);
/* `invited`: an Enrolment, whose code is shown this once, or NULL. */
char *page_hosts(const PageFrame *frame, const json_t *hosts, const json_t *invited);
char *page_pools(const PageFrame *frame, const json_t *pools);
char *page_pool(const PageFrame *frame, const json_t *pool);
/* `channels`: Channel objects. */
char *page_channels(const PageFrame *frame, const json_t *channels);
/* `view`: ChannelView, of now or of the past. */
char *page_channel(const PageFrame *frame, const json_t *view);
/* `explanation`: Explain, NULL when nothing was asked; `problem`: what is wrong with the question,
 * or NULL. `query` is what was asked. */
char *page_channel_explain(const PageFrame *frame, const json_t *view, const json_t *explanation,
	const char *problem, GHashTable *query);
char *page_channel_diff(const PageFrame *frame, const json_t *view, const json_t *difference,
	const char *problem, GHashTable *query);
/* The question before a channel is shut off, or before it is switched on again. */
char *page_channel_switch(const PageFrame *frame, const json_t *view);
/* `list`: {"changes"}; `query` is what was asked: product, channel, state. */
char *page_changes(const PageFrame *frame, const json_t *list, GHashTable *query);
/* `differences`: whose answers differ, by channel; NULL with `problem` when that is not known. */
char *page_change(const PageFrame *frame, const json_t *detail, const json_t *differences,
	const char *problem);
char *page_change_break_glass(const PageFrame *frame, const json_t *detail);
/* A change that is being written. `kind`: "rule", "insert", "delete", "switch-on" or "json"; `row`:
 * the rule it is about, or NULL; `checked`: the ChangeDetail of what was typed, when it was checked
 * just now, or NULL. */
char *page_change_new(const PageFrame *frame, const char *kind, const json_t *row,
	const json_t *checked, GHashTable *query);
/* `releases`: Release objects, newest first. */
char *page_releases(
	const PageFrame *frame, const char *product, const json_t *releases, gboolean with_removed);
/* `release`: ReleaseView; `diff`: ReleaseDiff with the one before, NULL when it is the first;
 * `nodes`: Node objects of the product. */
char *page_release(
	const PageFrame *frame, const json_t *release, const json_t *diff, const json_t *nodes);
/* `list`: {"files", "next"}; `query` is what was asked: q, after. */
char *page_release_files(const PageFrame *frame, const char *product, const char *version,
	const json_t *list, GHashTable *query);
/* `diff`: ReleaseDiff, NULL with `problem` when there is none; `releases`: what else there is to
 * compare with. */
char *page_release_diff(const PageFrame *frame, const char *product, const char *version,
	const json_t *diff, const json_t *releases, const char *problem);
/* `nodes`: Node objects; `query` is what was asked: product, channel, state. */
char *page_nodes(const PageFrame *frame, const json_t *nodes, GHashTable *query);
/* `node`: Node with its events; `releases`: the Release objects of each of its products, by name;
 * `invited`: an Enrolment, whose code is shown this once, or NULL, with `problem` when one was
 * asked for and there is none. */
char *page_node(const PageFrame *frame, const json_t *node, const json_t *releases,
	const json_t *invited, const char *problem);
char *page_notices(const PageFrame *frame, const json_t *notices, GHashTable *query);
char *page_maintenance(const PageFrame *frame);
char *page_login(const PageFrame *frame, const char *next);
char *page_login_link(const PageFrame *frame, const char *code);
char *page_problem(const PageFrame *frame, int status, const char *message);

/* The frame around a page: head, navigation, banners; and its end, which gives the document. */
Html *frame_begin(const PageFrame *frame, const char *format, ...) G_GNUC_PRINTF(2, 3);
char *frame_end(Html *html, const PageFrame *frame);
gboolean frame_may(const PageFrame *frame, Role role, const char *product);
/* The same for a role on any product. */
gboolean frame_may_anywhere(const PageFrame *frame, Role role);

#define STRIP_LANDINGS 60

/* The picture of landings, oldest to newest; `summary` is a ProductSummary. */
void strip_write(Html *html, const PageFrame *frame, const json_t *summary);
void strip_legend(Html *html);
/* The shape of one state, as in the picture: beside the word wherever a state is shown. */
void strip_shape(Html *html, const char *state, gboolean in_tree);
/* The same inside of a picture, around (0,0) and 16 wide. */
void strip_draw(Html *html, const char *state, gboolean in_tree);

/* The static report's files, path -> content. `products` is an array of {"product": Product,
 * "landings": LandingList, "where": WhereAnswer}. A new reference. */
json_t *report_files(gint64 now_us, const json_t *status, const json_t *products);

#define REPORT_LANDINGS 500

#endif
