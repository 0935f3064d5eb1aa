/* SPDX-License-Identifier: ISC
 *
 * Limits of the forwarder (its door is forward_run() in hold.h).
 */
#ifndef NODE_HOLD_FORWARD_H
#define NODE_HOLD_FORWARD_H

#include "node/hold/hold.h"

#define FORWARD_MAXIMUM_CONNECTIONS   4096
#define FORWARD_MAXIMUM_PENDING_BYTES 65536 /* of one direction; then its sender waits */
#define FORWARD_CONNECT_S	      10    /* for the service to take a connection */
#define FORWARD_CONNECT_EVERY_MS      100   /* it is tried again: the service may just begin */
#define FORWARD_LINGER_S	      10    /* for a client to end too, when the service has */
#define FORWARD_STUCK_S		      60    /* for it to take any of what is left then */
#define FORWARD_ACCEPT_PAUSE_MS	      100   /* when the process may open no more files */
#define FORWARD_IDLE_MS		      1000  /* after an answer; then, when leaving, it is closed */

#endif
