/* SPDX-License-Identifier: ISC */
#include "place.h"
int backup_tests(void)
{
	return 0;
}
