/* SPDX-License-Identifier: ISC
 *
 * drover-lvs keys: every key of the configuration with what it may say and its default, as a file
 * to begin with. A test holds drover-lvs.conf(5) to it.
 */
#include "programs/drover-lvs/keys.h"

#include <stdio.h>

#include "balance/config.h"

static void print_key(const ConfigKey *key)
{
	g_autofree char *allowed = key->type == CONFIG_TYPE_WITHOUT_USE ? g_strdup("without use")
									: config_allowed(key);
	printf("\n# %s\n# %s%s\n", key->summary, allowed, key->required ? " (needed)" : "");
	if (key->fallback != NULL && *key->fallback != '\0')
		printf("%s = %s\n", key->name, key->fallback);
	else
		printf("# %s =\n", key->name);
}

void keys_print(void)
{
	ConfigScope scope = CONFIG_SCOPE_GLOBAL;
	puts("[global]");
	for (const ConfigKey *key = config_keys(); key->name != NULL; key++) {
		if (key->scope != scope)
			puts("\n# Each service has a section of its own.\n[web]");
		scope = key->scope;
		print_key(key);
	}
}
