/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-problem.h"

#include "sl-error.h"
#include "sl-json-write.h"

/* Clients match the part behind '#'. */
#define TYPE_PREFIX "https://reference.airbyte.com/reference/errors#"

char *
sl_problem_print_status(guint status, const char *title, const char *message)
{
    g_autofree char *type = g_strconcat(TYPE_PREFIX, title, NULL);
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);

    sl_json_begin_object(&w);
    sl_json_member_int(&w, "status", status);
    sl_json_member_string(&w, "type", type);
    sl_json_member_string(&w, "title", title);
    sl_json_member_string(&w, "detail", message);
    sl_json_key(&w, "data");
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "message", message);
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

char *
sl_problem_print(const GError *error, guint *ret_status)
{
    const SlErrorInfo *info = sl_error_info_for(error);
    *ret_status = info->http_status;
    return sl_problem_print_status(info->http_status, info->title, error->message);
}
