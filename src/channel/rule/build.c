/* SPDX-License-Identifier: ISC
 *
 * Build ids.
 */
#include "channel/rule/build.h"

#include <string.h>

static const char digits[] = "0123456789";

int build_compare(const char *a, const char *b)
{
	size_t size_a = strspn(a, digits), size_b = strspn(b, digits);
	if (size_a == 0 || size_b == 0 || a[size_a] != '\0' || b[size_b] != '\0')
		return strcmp(a, b);
	while (*a == '0' && size_a > 1) {
		a++;
		size_a--;
	}
	while (*b == '0' && size_b > 1) {
		b++;
		size_b--;
	}
	if (size_a != size_b)
		return size_a < size_b ? -1 : 1;
	return strcmp(a, b);
}
