/* SPDX-License-Identifier: ISC
 *
 * Finding a name in the table of commands, and the one that was probably meant.
 */
#include "programs/terminal/command.h"

#include <string.h>

#include "programs/terminal/text.h"

enum { NEAR_ENOUGH = 2 };

const CommandGroup *command_find_group(const char *name)
{
	for (const CommandGroup *group = command_groups(); group->commands != NULL; group++)
		if (g_strcmp0(group->name, name) == 0)
			return group;
	return NULL;
}

const Command *command_find(const char *name)
{
	for (const CommandGroup *group = command_groups(); group->commands != NULL; group++)
		for (const Command *command = group->commands; command->name != NULL; command++)
			if (strcmp(command->name, name) == 0)
				return command;
	return NULL;
}

static const Option *find_in(const Option *options, const char *name)
{
	for (; options != NULL && options->name != NULL; options++)
		if (strcmp(options->name, name) == 0)
			return options;
	return NULL;
}

const Option *command_find_option(const Command *command, const char *name)
{
	const Option *own = command != NULL ? find_in(command->options, name) : NULL;
	return own != NULL ? own : find_in(command_global_options, name);
}

typedef struct Nearest {
	const char *typed, *name;
	guint distance;
} Nearest;

static void consider(Nearest *nearest, const char *name)
{
	guint distance = text_distance(nearest->typed, name);
	if (distance < nearest->distance && distance < strlen(name))
		*nearest = (Nearest){nearest->typed, name, distance};
}

const char *command_nearest(const CommandGroup *group, const char *typed)
{
	Nearest nearest = {typed, NULL, NEAR_ENOUGH + 1};
	if (group != NULL) {
		for (const Command *command = group->commands; command->name != NULL; command++)
			consider(&nearest, command->name + strlen(group->name) + 1);
		return nearest.name;
	}
	for (const CommandGroup *each = command_groups(); each->commands != NULL; each++) {
		if (each->name != NULL)
			consider(&nearest, each->name);
		else
			for (const Command *command = each->commands; command->name != NULL;
				command++)
				consider(&nearest, command->name);
	}
	return nearest.name;
}

const char *command_nearest_option(const Command *command, const char *typed)
{
	Nearest nearest = {typed, NULL, NEAR_ENOUGH + 1};
	for (const Option *option = command != NULL ? command->options : NULL;
		option != NULL && option->name != NULL; option++)
		consider(&nearest, option->name);
	for (const Option *option = command_global_options; option->name != NULL; option++)
		consider(&nearest, option->name);
	return nearest.name;
}
