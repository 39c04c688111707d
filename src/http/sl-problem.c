/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-problem.h"

#include "sl-error.h"
#include "sl-json-write.h"

/* Clients match the part behind '#', or the whole of an "error:…". */
#define TYPE_BASE "https://reference.airbyte.com/reference/errors"

typedef struct {
    const char *type, *title, *data; /* data: NULL, or JSON */
} Problem;

/* Titles whose type does not end in them. */
static const Problem odd[] = {
    {"409-state-conflict", "state-conflict", NULL},
    {"", "unexpected-problem", NULL},
    {"", "service-unavailable", NULL},
};

static char *
make_type(const char *type)
{
    if (g_str_has_prefix(type, "error:"))
        return g_strdup(type);
    return g_strconcat(TYPE_BASE, *type != '\0' ? "#" : "", type, NULL);
}

static char *
print(guint status, const Problem *problem, const char *message)
{
    g_autofree char *type = make_type(problem->type);
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);

    sl_json_begin_object(&w);
    sl_json_member_int(&w, "status", status);
    sl_json_member_string(&w, "type", type);
    sl_json_member_string(&w, "title", problem->title);
    sl_json_member_string(&w, "detail", message);
    if (problem->data != NULL) {
        sl_json_member_raw(&w, "data", problem->data);
    } else {
        sl_json_key(&w, "data");
        sl_json_begin_object(&w);
        sl_json_member_string(&w, "message", message);
        sl_json_end_object(&w);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

char *
sl_problem_print_status(guint status, const char *title, const char *message)
{
    Problem problem = {title, title, NULL};
    for (gsize i = 0; i < G_N_ELEMENTS(odd); i++)
        if (g_str_equal(odd[i].title, title))
            problem = odd[i];
    return print(status, &problem, message);
}

char *
sl_problem_print(const GError *error, guint *ret_status)
{
    const SlErrorInfo *info = sl_error_info_for(error);
    Problem problem;
    *ret_status = info->http_status;
    if (sl_error_get_problem(error, &problem.type, &problem.title, &problem.data))
        return print(info->http_status, &problem, error->message);
    return sl_problem_print_status(info->http_status, info->title, error->message);
}
