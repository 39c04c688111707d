/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"

/* Answers, in the dialect of the API that was asked. */

typedef enum {
    SERVER_DIALECT_PUBLIC, /* errors are problems (sl-problem.h) */
    SERVER_DIALECT_CONFIG, /* below /api/v1: {message, errorId, validationErrors} and the problem */
} ServerDialect;

ServerDialect server_dialect(const char *path);

/* JSON from 1 KiB on is compressed for who takes gzip. */
void server_reply_result(const ServerOperation *operation, gpointer result,
                         const SlHttpRequest *request, SlHttpReply *reply);

/* For what has no SlErrorCode. `title` is the short name of the problem. */
void server_reply_status(const SlHttpRequest *request, SlHttpReply *reply, guint status,
                         const char *title, const char *message);

/* The top of the activity: what is our fault is logged here, and only here. */
void server_reply_error(const SlHttpRequest *request, SlHttpReply *reply, const GError *error);

/* What a handler gave. */
void server_result_free(const ServerOperation *operation, gpointer result);
