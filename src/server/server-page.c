/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-page.h"

#include <string.h>

#include "sl-error.h"
#include "sl-id.h"
#include "sl-time.h"

gboolean
server_page_check(char *const *workspace_ids, gint64 offset, GError **error)
{
    if (offset < 0)
        return sl_error_set(error, SL_ERROR_INVALID, "offset: must not be negative");
    for (; workspace_ids != NULL && *workspace_ids != NULL; workspace_ids++)
        if (!g_uuid_string_is_valid(*workspace_ids))
            return sl_error_set(error, SL_ERROR_INVALID, "workspaceIds: '%s' is no UUID",
                                *workspace_ids);
    return TRUE;
}

/* The text of one parameter; NULL: not given. */
static char *
parameter_text(const SlField *field, gconstpointer request)
{
    gconstpointer member = G_STRUCT_MEMBER_P(request, field->offset);
    switch (field->kind) {
    case SL_KIND_STRV: {
        char *const *list = *(char *const *const *)member;
        return list != NULL && list[0] != NULL ? g_strjoinv(",", (char **)list) : NULL;
    }
    case SL_KIND_INT:
        return g_strdup_printf("%" G_GINT64_FORMAT, *(const gint64 *)member);
    case SL_KIND_BOOL:
        return g_strdup(*(const gboolean *)member ? "true" : "false");
    case SL_KIND_TIME:
        return sl_time_format(*(const gint64 *)member);
    case SL_KIND_ENUM:
        return g_strdup(sl_enum_name(field->names, *(const int *)member));
    default:
        return g_strdup(*(const char *const *)member);
    }
}

static char *
make_link(const ServerCtx *ctx, const SlRecord *record, gconstpointer request, gint64 offset)
{
    GString *url = g_string_new(ctx->server->public_url);
    const char *separator = "?";
    g_string_append(url, ctx->operation->path);
    for (guint i = 0; i < record->n_fields; i++) {
        const SlField *field = &record->fields[i];
        g_autofree char *text = NULL;
        if (strcmp(field->json, "offset") == 0)
            text = g_strdup_printf("%" G_GINT64_FORMAT, offset);
        else if (field->fallback != NULL || sl_record_has(record, request, i))
            text = parameter_text(field, request);
        if (text == NULL)
            continue;
        g_autofree char *escaped = g_uri_escape_string(text, ",:", FALSE);
        g_string_append_printf(url, "%s%s=%s", separator, field->json, escaped);
        separator = "&";
    }
    return g_string_free(url, FALSE);
}

void
server_page_links(const ServerCtx *ctx, const SlRecord *record, gconstpointer request, guint n_rows,
                  char **ret_previous, char **ret_next)
{
    const gint64 *limit = G_STRUCT_MEMBER_P(request, sl_record_find(record, "limit")->offset);
    const gint64 *offset = G_STRUCT_MEMBER_P(request, sl_record_find(record, "offset")->offset);
    *ret_previous =
        *offset > 0 ? make_link(ctx, record, request, MAX(*offset - *limit, 0)) : g_strdup("");
    *ret_next = n_rows > 0 ? make_link(ctx, record, request, *offset + *limit) : g_strdup("");
}
