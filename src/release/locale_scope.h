/* SPDX-License-Identifier: ISC
 *
 * libarchive reads names in the locale of its thread. Here it always gets the same one, until the
 * scope is left. For the inside of this room.
 */
#ifndef RELEASE_LOCALE_SCOPE_H
#define RELEASE_LOCALE_SCOPE_H

#include <locale.h>

#include "base/error.h"

typedef struct LocaleScope {
	locale_t made, before;
} LocaleScope;

/* "C.UTF-8" and "C" are built into the C library. Fails with DROVER_ERROR_INTERNAL. */
static inline gboolean locale_scope_enter(LocaleScope *scope, const char *name, GError **error)
{
	scope->made = newlocale(LC_ALL_MASK, name, (locale_t)0);
	if (scope->made == (locale_t)0) {
		drover_error_set(
			error, DROVER_ERROR_INTERNAL, "the C library has no locale %s", name);
		return FALSE;
	}
	scope->before = uselocale(scope->made);
	return TRUE;
}

static inline void locale_scope_leave(LocaleScope *scope)
{
	if (scope->made == (locale_t)0)
		return;
	uselocale(scope->before);
	freelocale(scope->made);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LocaleScope, locale_scope_leave)

#endif
