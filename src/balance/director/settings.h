/* SPDX-License-Identifier: ISC
 *
 * What differs between two configurations of a service, told by the table of keys.
 */
#ifndef BALANCE_DIRECTOR_SETTINGS_H
#define BALANCE_DIRECTOR_SETTINGS_H

#include "balance/config.h"

/* Both say the same about `key`. */
gboolean settings_equal(const ConfigService *a, const ConfigService *b, const ConfigKey *key);
/* Both check alike by this monitor. */
gboolean settings_same_check(const ConfigService *a, const ConfigService *b, ConfigMonitor monitor);
/* "ProxyFetch" is CONFIG_PROXYFETCH. */
ConfigMonitor settings_monitor(const char *name);
/* "wrr" */
const char *settings_scheduler(const ConfigService *service);
/* Reads the configuration, and adds to its errors what the monitors refuse. `token_file` NULL: no
 * matter; else a warning at each list of droverd's says what is wrong with the host's token, which
 * is there unless the configuration names another file. Fails as config_load() does. */
Config *settings_look(const char *path, const char *token_file, GError **error);
/* Reads the configuration and asks of the monitors whether they would take it. Every error stands
 * in one message. Warnings are logged. */
Config *settings_load(const char *path, GError **error);

#endif
