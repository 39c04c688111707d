/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"

/* For tests of suite 'db' (tests/pg/with-postgres): a new, migrated database of its own.
 * ret_conninfo may be NULL. Aborts when it cannot be had. */
SlDb *sl_test_db_new(char **ret_conninfo);

/* The same without migrations. */
SlDb *sl_test_db_new_empty(char **ret_conninfo);
