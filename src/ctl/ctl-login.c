/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ctl-remote.h"
#include "sl-error.h"

/* One line of standard input without its end, asked for on a terminal, there without an echo when
 * it is a secret. NULL: there is none. */
static char *
read_answer(const char *question, gboolean secret)
{
    struct termios before, silent;
    gboolean terminal = isatty(0) && isatty(2);
    gboolean hidden = secret && terminal && tcgetattr(0, &before) == 0;
    char line[4096];
    if (terminal)
        fprintf(stderr, "%s ", question);
    if (hidden) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(0, TCSAFLUSH, &silent);
    }
    gboolean got = fgets(line, sizeof line, stdin) != NULL;
    if (hidden) {
        tcsetattr(0, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    char *answer = got ? g_strndup(line, strcspn(line, "\r\n")) : NULL;
    explicit_bzero(line, sizeof line);
    return answer;
}

CtlExit
ctl_run_login(Ctl *ctl, GError **error)
{
    g_autofree char *url = ctl_remote_parse_url(ctl->args->args[0], error);
    if (url == NULL)
        return CTL_EXIT_FAILED;
    g_autofree char *id = ctl->args->args[1] != NULL ? g_strdup(ctl->args->args[1])
                                                     : read_answer(_("Client id:"), FALSE);
    g_autofree char *secret = id != NULL ? read_answer(_("Client secret:"), TRUE) : NULL;
    if (secret == NULL || *id == '\0' || *secret == '\0') {
        ctl_set_usage_error(error, _("the client id and its secret are read from standard input, "
                                     "a line each"));
        return CTL_EXIT_USAGE;
    }
    g_autoptr(CtlRemote) remote = ctl_remote_new(url);
    gboolean ok = ctl_remote_login(remote, id, secret, error);
    explicit_bzero(secret, strlen(secret));
    if (!ok)
        return CTL_EXIT_FAILED;
    g_autofree char *path = ctl_remote_hosts_path();
    ctl_say(ctl, _("Logged in to %s; %s keeps the application."), url, path);
    return CTL_EXIT_OK;
}

CtlExit
ctl_run_logout(Ctl *ctl, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autofree char *url = ctl_remote_parse_url(ctl->args->args[0], error);
    if (url == NULL)
        return CTL_EXIT_FAILED;
    if (ctl_remote_logout(url, &why)) {
        ctl_say(ctl, _("Forgot the application of %s."), url);
        return CTL_EXIT_OK;
    }
    if (why != NULL) {
        g_propagate_error(error, g_steal_pointer(&why));
        return CTL_EXIT_FAILED;
    }
    sl_error_set(error, SL_ERROR_NOT_FOUND, _("nothing is known of %s"), url);
    return CTL_EXIT_NOT_FOUND;
}
