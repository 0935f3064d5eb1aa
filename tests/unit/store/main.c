/* SPDX-License-Identifier: ISC
 *
 * The store's tests, on both databases. An argument is a pattern of the tests to run: "*backup*".
 */
#include "place.h"

#include "base/log.h"

int main(int count, char **arguments)
{
	log_setup(LOG_FORMAT_LOGFMT, LOG_LEVEL_WARNING, 2);
	if (count > 1)
		cmocka_set_test_filter(arguments[1]);
	return values_tests() + transaction_tests() + migrate_tests() + history_tests() +
	       job_tests() + backup_tests() + outage_tests();
}
