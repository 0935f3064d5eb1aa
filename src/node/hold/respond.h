/* SPDX-License-Identifier: ISC
 *
 * Limits of the responder (its door is respond_run() in hold.h).
 */
#ifndef NODE_HOLD_RESPOND_H
#define NODE_HOLD_RESPOND_H

#include "node/hold/hold.h"

#define RESPOND_MAXIMUM_CONNECTIONS   4096
#define RESPOND_MAXIMUM_DRAINED_BYTES 67108864 /* of a body; then the connection is cut */
#define RESPOND_HEAD_S		      10
#define RESPOND_SEND_S		      10
#define RESPOND_LINGER_S	      60 /* from the answer until it is cut */
#define RESPOND_LINGER_IDLE_S	      5	 /* the same, without a byte */
#define RESPOND_MAXIMUM_LINGERING     2048
#define RESPOND_CROWDED_S	      2 /* from the answer until it is cut, when there are more */

#endif
