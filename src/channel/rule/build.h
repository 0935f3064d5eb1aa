/* SPDX-License-Identifier: ISC
 *
 * Build ids: compared as numbers of any length when both are digits only, else as texts.
 */
#ifndef CHANNEL_RULE_BUILD_H
#define CHANNEL_RULE_BUILD_H

/* <0, 0, >0. */
int build_compare(const char *a, const char *b);

#endif
