/* SPDX-License-Identifier: ISC
 *
 * A temporary folder per test: setup and teardown for cmocka, its path is *state.
 */
#ifndef TESTS_BASE_TEMPORARY_H
#define TESTS_BASE_TEMPORARY_H

#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "base/file.h"

static inline int temporary_setup(void **state)
{
	*state = g_dir_make_tmp("drover-base-XXXXXX", NULL);
	return *state != NULL ? 0 : -1;
}

static inline int temporary_teardown(void **state)
{
	gboolean removed = file_remove(*state, NULL);
	g_free(*state);
	return removed ? 0 : -1;
}

#endif
