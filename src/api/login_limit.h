/* SPDX-License-Identifier: ISC
 *
 * How often somebody may be wrong. An attempt counts as a failure from before the secret is looked
 * at until it has proved right, so many at once get no more guesses than one after the other; and
 * the count stands in the store, so several droverds give no more than one.
 *
 * An attempt is one row, with the digest of the name that was tried and the address that it came
 * from. Attempts that are refused for their number leave no row. Rows older than the window are
 * removed by the next attempt, and of those within it only the newest LOGIN_FAILURES_KEPT stay, so
 * nobody fills the disk.
 */
#ifndef API_LOGIN_LIMIT_H
#define API_LOGIN_LIMIT_H

#include "store/store.h"

#define LOGIN_FAILURES_KEPT	    10000
#define LOGIN_ADDRESS_MAXIMUM_BYTES 64

/* Inside store_write(). Counts the attempt; *attempt is what to forgive when it was right. `name`
 * may be NULL (a link), so may `peer` (not from the network). Fails with DROVER_ERROR_RATE. */
gboolean login_limit_count(Store *store, gint64 now_us, const char *name, const char *peer,
	gint64 *attempt, GError **error);
/* Inside store_write(). The attempt was right: it never was a failure, and earlier ones count no
 * longer against the name, but still against the addresses that they came from. `name` as above. */
gboolean login_limit_forgive(Store *store, const char *name, gint64 attempt, GError **error);
/* What failures are counted by: an IPv4 address, or the /64 of an IPv6 address, since one host has
 * that many. The peer's own text, shortened, when it is neither. NULL gives NULL. Caller frees. */
char *login_limit_address(const char *peer);

#endif
