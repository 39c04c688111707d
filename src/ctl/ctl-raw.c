/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

/* 'sluicectl api': any call, the answer as it is (laid out on a terminal). */

static char *
full_path(const char *path)
{
    if (g_str_has_prefix(path, "/api/"))
        return g_strdup(path);
    return g_strconcat(CTL_PUBLIC, *path == '/' ? "" : "/", path, NULL);
}

static gboolean
read_body(const char *data, char **ret_body, GError **error)
{
    gsize len;
    *ret_body = NULL;
    if (data == NULL)
        return TRUE;
    if (*data == '@')
        *ret_body = ctl_read_file(data + 1, &len, error);
    else
        *ret_body = g_strdup(data);
    return *ret_body != NULL;
}

static void
print_body(Ctl *ctl, const SlHttpUnixReply *reply)
{
    gsize len;
    const char *bytes = g_bytes_get_data(reply->body, &len);
    g_autoptr(SlJsonDoc) doc = ctl->tty ? sl_json_read(bytes, len, NULL, NULL) : NULL;
    if (doc != NULL) {
        g_autoptr(GString) out = g_string_new(NULL);
        ctl_json_append_pretty(out, doc, sl_json_root(doc));
        g_string_append_c(out, '\n');
        ctl_print(ctl, out->str);
        return;
    }
    fwrite(bytes, 1, len, stdout);
    if (len > 0 && bytes[len - 1] != '\n')
        putchar('\n');
}

CtlExit
ctl_run_api(Ctl *ctl, GError **error)
{
    g_autofree char *method = g_ascii_strup(ctl->args->args[0], -1);
    g_autofree char *path = full_path(ctl->args->args[1]);
    g_autofree char *body = NULL;
    if (!read_body(ctl_option(ctl, CTL_OPT_DATA), &body, error))
        return CTL_EXIT_FAILED;
    g_autoptr(SlHttpUnixReply) reply =
        ctl_api_request(ctl->api, method, path, body, CTL_DEADLINE_CONNECTOR, error);
    if (reply == NULL)
        return CTL_EXIT_FAILED;
    print_body(ctl, reply);
    fflush(stdout);
    if (!ctl_api_check_reply(reply, error))
        g_prefix_error(error, "%s %s (%u): ", method, path, reply->status);
    return CTL_EXIT_OK;
}
