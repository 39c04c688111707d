/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-db.h"

/* One request to the real server, which lives in this process for as long as that takes. The status
 * of the answer. */
guint crash_api_call(SlDb *db, const char *method, const char *path, const char *body);

/* The server alone, for more than one request: the path of its socket. */
typedef struct CrashApi CrashApi;
CrashApi *crash_api_new(SlDb *db);
void crash_api_free(CrashApi *api);
const char *crash_api_get_path(const CrashApi *api);
guint crash_api_ask(CrashApi *api, const char *method, const char *path, const char *body,
                    char **ret_body);
