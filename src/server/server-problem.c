/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-problem.h"

#include "sl-error.h"
#include "sl-json-write.h"

static const struct {
    SlErrorCode code;
    const char *type, *title;
} problems[] = {
    [SERVER_PROBLEM_NOT_FOUND] = {SL_ERROR_NOT_FOUND, "resource-not-found", "resource-not-found"},
    [SERVER_PROBLEM_TRY_AGAIN] = {SL_ERROR_CONFLICT, "try-again-later", "try-again-later"},
    [SERVER_PROBLEM_VALUE] = {SL_ERROR_INVALID, "", "value-not-found"},
    [SERVER_PROBLEM_LICENSE] = {SL_ERROR_FORBIDDEN, "error:license/entitlement",
                                "License Entitlement Error"},
    [SERVER_PROBLEM_LOCKED] = {SL_ERROR_CONFLICT, "error:connection/locked",
                               "Connection is locked"},
    [SERVER_PROBLEM_CRON_MISSING] = {SL_ERROR_INVALID, "error:cron-validation/missing-cron-data",
                                     "Missing cron data"},
    [SERVER_PROBLEM_CRON_COMPONENT] = {SL_ERROR_INVALID, "error:cron-validation/missing-component",
                                       "Missing cron component"},
    [SERVER_PROBLEM_CRON_EXPRESSION] = {SL_ERROR_INVALID,
                                        "error:cron-validation/invalid-expression",
                                        "Invalid cron expression"},
    [SERVER_PROBLEM_CRON_ZONE] = {SL_ERROR_INVALID, "error:cron-validation/invalid-timezone",
                                  "Invalid cron timezone"},
    [SERVER_PROBLEM_CRON_FREQUENCY] = {SL_ERROR_INVALID,
                                       "error:cron-validation/under-one-hour-not-allowed",
                                       "Cron expression runs too often"},
    [SERVER_PROBLEM_MAPPER] = {SL_ERROR_INVALID, "error:mapper-validation",
                               "Mapper validation failed"},
    [SERVER_PROBLEM_FILES_CONNECTION] =
        {SL_ERROR_INVALID, "error:connection-validation/file-transfer/connection-unsupported",
         "File transfer is not supported by the connection"},
    [SERVER_PROBLEM_FILES_STREAM] = {SL_ERROR_INVALID,
                                     "error:connection-validation/file-transfer/stream-unsupported",
                                     "File transfer is not supported by the stream"},
    [SERVER_PROBLEM_TAG_EXISTS] = {SL_ERROR_EXISTS, "error:tag-already-exists",
                                   "Tag already exists"},
    [SERVER_PROBLEM_TAG_COLOR] = {SL_ERROR_INVALID, "error:tag-invalid-hex-color",
                                  "Tag color is not a hex color"},
    [SERVER_PROBLEM_TAG_NAME] = {SL_ERROR_INVALID, "error:tag-name-too-long",
                                 "Tag name is too long"},
    [SERVER_PROBLEM_TAG_LIMIT] = {SL_ERROR_INVALID, "error:tag-limit-for-workspace-reached",
                                  "Workspace has all the tags it may have"},
    [SERVER_PROBLEM_MISSING_URL] = {SL_ERROR_INVALID, "error:notification/config/missing-url",
                                    "Notification missing URL"},
};

gboolean
server_problem(GError **error, ServerProblem problem, char *data, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    return sl_error_set_problem(error, problems[problem].code, problems[problem].type,
                                problems[problem].title, data, "%s", message);
}

char *
server_problem_data(const char *name, ...)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    va_list args;
    va_start(args, name);
    sl_json_begin_object(&w);
    for (; name != NULL; name = va_arg(args, const char *))
        sl_json_member_string(&w, name, va_arg(args, const char *));
    sl_json_end_object(&w);
    va_end(args);
    return g_string_free(out, FALSE);
}

gboolean
server_not_found(GError **error, const char *type, const char *id)
{
    return server_problem(error, SERVER_PROBLEM_NOT_FOUND,
                          server_problem_data("resourceType", type, "resourceId", id, NULL),
                          "%s '%s' does not exist", type, id);
}
