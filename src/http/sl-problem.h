/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The bodies of errors: RFC 9457 members, served as plain application/json (clients compare the
 * header for equality, so no charset and no problem+json). */
#define SL_PROBLEM_CONTENT_TYPE "application/json"

/* {status, title, type, detail, data} of an error: its own problem (sl_error_set_problem()), or
 * that of its code, with data {message}. */
char *sl_problem_print(const GError *error, guint *ret_status);

/* The same for what has no SlErrorCode: 405, 431, … */
char *sl_problem_print_status(guint status, const char *title, const char *message);
