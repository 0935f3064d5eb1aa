/* SPDX-License-Identifier: ISC */
#include "place.h"
int outage_tests(void)
{
	return 0;
}
