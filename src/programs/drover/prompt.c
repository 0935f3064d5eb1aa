/* SPDX-License-Identifier: ISC
 *
 * Passwords, typed where nobody sees them. What is longer than a line may be is cut off one byte
 * beyond what any password may have, so that who checks it finds it too long.
 */
#include "programs/drover/prompt.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { CTRL_C = 3, PROMPT_BYTES = 1024 + 2 };

static char *read_line(GError **error)
{
	char line[PROMPT_BYTES];
	if (fgets(line, sizeof line, stdin) == NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT,
			"no password was given: it is typed on the terminal, or stands in the "
			"first line of standard input");
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	if (strchr(line, CTRL_C) != NULL) {
		drover_error_set(error, DROVER_ERROR_INPUT, "given up; nothing was changed");
		return NULL;
	}
	char *copy = g_strdup(line);
	explicit_bzero(line, sizeof line);
	return copy;
}

/* From the terminal without showing it. */
static char *ask(const char *question, GError **error)
{
	struct termios before, hidden;
	gboolean terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	if (terminal) {
		hidden = before;
		/* Without ISIG too: Ctrl-C must not leave the shell with a terminal that shows
		 * nothing. */
		hidden.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
		/* Hidden first: setting it throws away what was typed before. */
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
		fputs(question, stderr);
	}
	char *line = read_line(error);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
		fputc('\n', stderr);
	}
	return line;
}

void prompt_password_free(char *password)
{
	if (password != NULL)
		explicit_bzero(password, strlen(password));
	g_free(password);
}

char *prompt_password(gboolean twice, GError **error)
{
	char *once = ask("Password: ", error);
	if (once == NULL || !twice || !isatty(STDIN_FILENO))
		return once;
	char *again = ask("Again: ", error);
	gboolean same = g_strcmp0(once, again) == 0;
	if (again != NULL && !same)
		drover_error_set(error, DROVER_ERROR_INPUT, "the two are not the same");
	prompt_password_free(again);
	if (same)
		return once;
	prompt_password_free(once);
	return NULL;
}
