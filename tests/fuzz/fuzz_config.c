/* SPDX-License-Identifier: ISC
 *
 * Any bytes as a balancer's configuration: never a fault, every problem can be shown, and without
 * errors all that is required is there.
 */
#include <stdint.h>
#include <string.h>

#include "balance/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_texts(const GPtrArray *texts)
{
	g_assert(texts->len <= CONFIG_MAXIMUM_PROBLEMS);
	for (guint i = 0; i < texts->len; i++) {
		const char *text = texts->pdata[i];
		g_assert(g_utf8_validate(text, -1, NULL));
		g_assert(strchr(text, '\n') == NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Config) config = config_parse("f", (const char *)bytes, size, &error);
	g_assert((config == NULL) == (error != NULL));
	if (config == NULL)
		return 0;
	check_texts(config->errors);
	check_texts(config->warnings);
	for (guint i = 0; config->errors->len == 0 && i < config->services->len; i++) {
		const ConfigService *service = config->services->pdata[i];
		g_assert(service->ip != NULL && service->config != NULL && service->port > 0);
		PoolPolicy policy = config_pool_policy(service);
		g_assert(policy.rise >= 1 && policy.fall >= 1 && policy.monitors != NULL);
		g_assert(g_strv_length(service->monitors) <= POOL_MAXIMUM_MONITORS);
	}
	return 0;
}
