/* SPDX-License-Identifier: ISC
 *
 * What other files of this room need to send mail.
 */
#ifndef API_NOTICE_H
#define API_NOTICE_H

#include "api/api.h"

/* For Message-IDs. Caller frees. */
char *notice_mail_domain(const ApiSite *site);
/* The address of the pages without its last slash; NULL when it is not known. Caller frees. */
char *notice_base_url(const ApiSite *site);

#endif
