/* SPDX-License-Identifier: ISC
 *
 * What may stand in a configuration.
 */
#ifndef DROVER_LVS_KEYS_H
#define DROVER_LVS_KEYS_H

/* On stdout, as a configuration. */
void keys_print(void);

#endif
