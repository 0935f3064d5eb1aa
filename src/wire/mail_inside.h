/* SPDX-License-Identifier: ISC
 *
 * What composing and sending a mail share.
 */
#ifndef WIRE_MAIL_INSIDE_H
#define WIRE_MAIL_INSIDE_H

/* "drover@example.org" of "Drover <drover@example.org>". Caller frees. */
char *mail_bare_address(const char *mailbox);

#endif
