/* SPDX-License-Identifier: ISC
 *
 * For agreement.py: files of rules and queries, one a line, in; answers, one a line, out.
 */
#include <stdio.h>
#include <stdlib.h>

#include "channel/change/answer_file.h"

static guint always_50(void)
{
	return 50;
}

int main(void)
{
	char *line = NULL;
	size_t capacity = 0;
	while (getline(&line, &capacity, stdin) > 0) {
		g_autoptr(GError) error = NULL;
		json_t *file = json_loads(line, 0, NULL);
		json_t *answer = answer_file(file, always_50, &error);
		char *text = answer == NULL ? g_strdup(error->message) : json_dumps(answer, 0);
		puts(text);
		free(text);
		json_decref(answer);
		json_decref(file);
	}
	free(line);
	return 0;
}
