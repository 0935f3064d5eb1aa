/* SPDX-License-Identifier: ISC
 *
 * What a row must be before it may be written, table by table: every column known, every value in
 * its range, and all that it names there. So nothing is wrong with a row when a client asks. A row
 * that was good can become bad by another's edit (its product gets another scheme or fewer hosts,
 * its release is withdrawn, its channel becomes a test channel): such an edit is refused, naming
 * the row. Rules: docs/channel.md, "In the store". Pure.
 */
#ifndef CHANNEL_ROW_ROW_H
#define CHANNEL_ROW_ROW_H

#include "channel/row/state.h"

#define ROW_MAXIMUM_BYTES      4194304 /* one row, as JSON */
#define ROW_MAXIMUM_NAME_BYTES 200     /* a release, a channel, a pin's version, a freeze */
#define ROW_MAXIMUM_TEXT_BYTES 4096    /* title, reason, URL */
#define ROW_MAXIMUM_PLATFORMS  200     /* of one release */
#define ROW_MAXIMUM_LOCALES    500     /* of one platform */
#define ROW_MAXIMUM_FILES      50      /* complete ones, and as many partial ones, of one locale */
#define ROW_MAXIMUM_HOSTS      100     /* of one product */
#define ROW_MAXIMUM_REWRITES   100     /* hosts that one test channel swaps */
#define ROW_MAXIMUM_SIGNERS    100     /* that one requirement asks for */
#define ROW_MAXIMUM_LATE_S     2678400 /* 31 days */

/* A change may wait for a release that is not published yet; what goes live may not. */
typedef enum RowStage { ROW_WAITS, ROW_GOES_LIVE } RowStage;

/* `after`: the state that the row is in. Fails with DROVER_ERROR_INPUT (the row itself),
 * DROVER_ERROR_CONFLICT (what it names is not there, or not fit): "rules 7: channel: …". */
gboolean row_check(
	StateTable table, const json_t *row, const State *after, RowStage stage, GError **error);

/* Every row that differs between the two, and every row that stands on one of those: what is
 * mapped to a release and what is of a product. Fails as row_check() does; with
 * DROVER_ERROR_CONFLICT when a release goes that is still named. */
gboolean rows_check(const State *before, const State *after, RowStage stage, GError **error);

/* What still names the release: "rules 7", "pins [\"web\",\"release\",\"1.\"]", "releases web-2"
 * (a partial leads from it). NULL: nothing does. Caller frees. */
char *row_naming_release(const State *state, const char *release);

#endif
