/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl-remote.h"

static gboolean
wants_color(gboolean tty)
{
    const char *ours = g_getenv("SLUICE_COLORS");
    const char *no_color = g_getenv("NO_COLOR"), *term = g_getenv("TERM");
    if (ours != NULL)
        return strcmp(ours, "0") != 0 && g_ascii_strcasecmp(ours, "no") != 0;
    return tty && (no_color == NULL || *no_color == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

static void
init_output(Ctl *ctl)
{
    struct winsize size;
    ctl->tty = isatty(1);
    ctl->quiet = ctl_option(ctl, CTL_OPT_QUIET) != NULL;
    ctl->utc = ctl_option(ctl, CTL_OPT_UTC) != NULL;
    ctl->format = ctl_format_parse(ctl_option(ctl, CTL_OPT_OUTPUT));
    ctl->style.color = wants_color(ctl->tty);
    ctl->style.utf8 = g_get_charset(NULL);
    ctl->style.legend = ctl_option(ctl, CTL_OPT_NO_LEGEND) == NULL && !ctl->quiet;
    if (ctl->tty && ctl_option(ctl, CTL_OPT_FULL) == NULL && ioctl(1, TIOCGWINSZ, &size) == 0)
        ctl->style.width = size.ws_col;
}

/* --host, or $SLUICE_HOST; otherwise the socket of this host. */
static gboolean
init_api(Ctl *ctl, GError **error)
{
    const char *host = ctl_option(ctl, CTL_OPT_HOST);
    if (host == NULL)
        host = g_getenv("SLUICE_HOST");
    if (host == NULL || *host == '\0') {
        ctl->api = ctl_api_new(NULL);
        return TRUE;
    }
    g_autoptr(GError) why = NULL;
    g_autofree char *url = ctl_remote_parse_url(host, &why);
    if (url == NULL)
        return ctl_set_usage_error(error, "--host: %s", why->message);
    ctl->api = ctl_api_new_remote(url);
    ctl->remote = TRUE;
    return TRUE;
}

static CtlExit
run(Ctl *ctl, GError **error)
{
    if (ctl_option(ctl, CTL_OPT_VERSION) != NULL)
        return ctl_run_version(ctl, error);
    if (ctl_option(ctl, CTL_OPT_HELP) == NULL)
        return ctl->args->command->run(ctl, error);
    /* 'sluicectl --help' is about all commands, 'sluicectl status --help' about one. */
    g_autofree char *text =
        ctl->args->bare ? ctl_help_all(ctl_commands) : ctl_help_command(ctl->args->command);
    ctl_print(ctl, text);
    return CTL_EXIT_OK;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    Ctl ctl = {0};
    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, SL_LOCALEDIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
    signal(SIGPIPE, SIG_IGN);

    ctl.args = ctl_args_parse(ctl_commands, "status", (const char *const *)argv, &error);
    CtlExit status = CTL_EXIT_USAGE;
    if (ctl.args != NULL) {
        init_output(&ctl);
        if (init_api(&ctl, &error))
            status = run(&ctl, &error);
    }
    if (error != NULL) {
        fflush(stdout);
        ctl_complain(error->message);
        status = ctl_exit_for_error(error);
    }
    ctl_api_free(ctl.api);
    ctl_args_free(ctl.args);
    g_free(ctl.workspace_id);
    return fflush(stdout) == 0 ? (int)status : CTL_EXIT_FAILED;
}
