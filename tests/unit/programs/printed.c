/* SPDX-License-Identifier: ISC
 *
 * What is printed, read back.
 */
#include "printed.h"

#include <stdio.h>
#include <unistd.h>

enum { PRINTED_MAXIMUM_BYTES = 8192 };

json_t *json_of(const char *text)
{
	g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
	json_t *value = json_loads(quoted, JSON_DECODE_ANY, NULL);
	g_assert(value != NULL);
	return value;
}

char *printed(void (*show)(const Screen *screen, const json_t *value), const json_t *value)
{
	const Screen screen = {.unicode = TRUE};
	char text[PRINTED_MAXIMUM_BYTES];
	FILE *file = tmpfile();
	g_assert(file != NULL);
	fflush(stdout);
	int before = dup(STDOUT_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	show(&screen, value);
	fflush(stdout);
	dup2(before, STDOUT_FILENO);
	close(before);
	rewind(file);
	gsize size = fread(text, 1, sizeof text, file);
	fclose(file);
	return g_strndup(text, size);
}
