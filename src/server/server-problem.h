/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The problems of the public API that clients tell apart by their type. The common ones (400
 * bad-request, 409 state-conflict, 422 …) are what sl_error_set() gives; these say more. All
 * functions return FALSE. */

typedef enum {
    SERVER_PROBLEM_NOT_FOUND, /* resourceType, resourceId */
    SERVER_PROBLEM_TRY_AGAIN, /* a job is in the way */
    SERVER_PROBLEM_VALUE,     /* value: no connector is called so */
    SERVER_PROBLEM_LICENSE,   /* what needs an entitlement in the reference product */
    SERVER_PROBLEM_LOCKED,    /* connectionId, statusReason */
    SERVER_PROBLEM_CRON_MISSING,
    SERVER_PROBLEM_CRON_COMPONENT,
    SERVER_PROBLEM_CRON_EXPRESSION,
    SERVER_PROBLEM_CRON_ZONE,
    SERVER_PROBLEM_CRON_FREQUENCY,
    SERVER_PROBLEM_MAPPER,           /* errors[] */
    SERVER_PROBLEM_FILES_CONNECTION, /* streams[] */
    SERVER_PROBLEM_FILES_STREAM,     /* streams[] */
    SERVER_PROBLEM_TAG_EXISTS,
    SERVER_PROBLEM_TAG_COLOR,
    SERVER_PROBLEM_TAG_NAME,
    SERVER_PROBLEM_TAG_LIMIT,
    SERVER_PROBLEM_MISSING_URL,
} ServerProblem;

/* `data` is taken: see server_problem_data(); NULL: {message}. */
gboolean server_problem(GError **error, ServerProblem problem, char *data, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* A JSON object of strings: name, value, …, NULL. A NULL value leaves the member out. */
char *server_problem_data(const char *name, ...) G_GNUC_NULL_TERMINATED;

/* "TYPE 'ID' does not exist", the most common one. */
gboolean server_not_found(GError **error, const char *type, const char *id);
