/* SPDX-License-Identifier: ISC
 *
 * For versions.py: "SCHEME A B" a line in; <, =, > or ? (one is no version) a line out.
 */
#include <stdio.h>
#include <string.h>

#include "channel/rule/version.h"

static char compared(char *line)
{
	g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", 3);
	VersionScheme scheme;
	Version a, b;
	if (g_strv_length(words) != 3 || !version_scheme_parse(words[0], &scheme, NULL) ||
		!version_parse(scheme, words[1], &a, NULL) ||
		!version_parse(scheme, words[2], &b, NULL))
		return '?';
	int order = version_compare(&a, &b);
	return order < 0 ? '<' : order > 0 ? '>' : '=';
}

int main(void)
{
	char line[1024];
	while (fgets(line, sizeof line, stdin) != NULL)
		printf("%c\n", compared(line));
	return 0;
}
