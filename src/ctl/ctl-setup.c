/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>

#include "ctl-text.h"

/* The link stands in a line of its own; with --quiet alone. */
CtlExit
ctl_run_setup_link(Ctl *ctl, GError **error)
{
    if (!ctl_need_local(ctl, error))
        return CTL_EXIT_USAGE;
    g_autoptr(SlJsonDoc) doc =
        ctl_api_call(ctl->api, "POST", CTL_SLUICE "/setup/link", NULL, CTL_DEADLINE, error);
    if (doc == NULL)
        return CTL_EXIT_FAILED;
    g_autofree char *url = ctl_json_string(doc, sl_json_root(doc), "url");
    g_autofree char *line = g_strconcat(url, "\n", NULL);
    gint64 expires = ctl_json_time(doc, sl_json_root(doc), "expiresAt");
    g_autofree char *until = expires >= 0 ? ctl_text_time(expires, ctl->utc) : g_strdup("?");
    ctl_print(ctl, line);
    ctl_say(ctl,
            _("Whoever opens it first sets the administrator's e-mail and password. It is good "
              "once, until %s; links made before are worthless now."),
            until);
    return CTL_EXIT_OK;
}
