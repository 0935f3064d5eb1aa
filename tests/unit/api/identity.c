/* SPDX-License-Identifier: ISC
 *
 * Tests of people, tokens, sessions and hosts, on both databases. An argument is a pattern of the
 * tests to run:
 * "*token*".
 */
#include "house.h"

#include "base/log.h"

int main(int count, char **arguments)
{
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_ERROR, 2);
	if (count > 1)
		cmocka_set_test_filter(arguments[1]);
	return people_tests() + role_tests() + token_tests() + login_tests() + login_limit_tests() +
	       host_tests() + gate_tests();
}
