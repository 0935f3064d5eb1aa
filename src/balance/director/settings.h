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
/* Reads the configuration and asks of the monitors whether they would take it. Every error stands
 * in one message. Warnings are logged. */
Config *settings_load(const char *path, GError **error);

#endif
