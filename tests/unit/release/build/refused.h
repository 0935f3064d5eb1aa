/* SPDX-License-Identifier: ISC
 *
 * What the tests of building share: an error compared and freed.
 */
#ifndef TESTS_RELEASE_BUILD_REFUSED_H
#define TESTS_RELEASE_BUILD_REFUSED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static inline void assert_refused(GError **error, DroverErrorCode code, const char *part)
{
	assert_non_null(*error);
	if (!drover_error_is(*error, code) || strstr((*error)->message, part) == NULL)
		fail_msg("code %d: %s\nwanted %d: …%s…", (*error)->code, (*error)->message, code,
			part);
	g_clear_error(error);
}

#endif
