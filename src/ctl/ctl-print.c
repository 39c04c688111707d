/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl-object.h"
#include "ctl-text.h"
#include "sl-error.h"
#include "sl-fd.h"

#define MAX_FILE (64u << 20)

/* Ours are the line breaks; what a server or a connector has put in between drives no terminal. */
static char *
clean_lines(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        char *clean = ctl_text_clean(*line, -1);
        g_free(*line);
        *line = clean;
    }
    return g_strjoinv("\n", lines);
}

void
ctl_complain(const char *message)
{
    g_autofree char *clean = clean_lines(message);
    fprintf(stderr, "sluicectl: %s\n", clean);
}

void
ctl_say(const Ctl *ctl, const char *format, ...)
{
    if (ctl->quiet)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *clean = clean_lines(text);
    puts(clean);
    fflush(stdout);
}

gboolean
ctl_need_local(const Ctl *ctl, GError **error)
{
    return !ctl->remote ||
           ctl_set_usage_error(error, _("'%s' is about this host: run it there, without --host"),
                               ctl->args->command->words);
}

gboolean
ctl_option_lines(const Ctl *ctl, gint64 fallback, gint64 *ret, GError **error)
{
    const char *text = ctl_option(ctl, CTL_OPT_LINES);
    *ret = fallback;
    if (text == NULL || g_ascii_string_to_signed(text, 10, 0, 1000000, ret, NULL))
        return TRUE;
    return ctl_set_usage_error(error, _("'--lines' is a number from 0 to 1000000, not '%s'"), text);
}

const char *
ctl_workspace(Ctl *ctl, GError **error)
{
    const char *name = ctl_option(ctl, CTL_OPT_WORKSPACE);
    if (ctl->workspace_id != NULL)
        return ctl->workspace_id;
    g_autoptr(GPtrArray) all = ctl_object_list_workspaces(ctl, error);
    if (all == NULL)
        return NULL;
    if (name == NULL && all->len > 0) {
        const CtlObject *first = g_ptr_array_index(all, 0);
        ctl->workspace_id = g_strdup(first->id);
    } else if (name != NULL) {
        const CtlObject *found = ctl_object_pick(all, CTL_KINDS_WORKSPACE, name, error);
        ctl->workspace_id = found != NULL ? g_strdup(found->id) : NULL;
    } else {
        sl_error_set(
            error, SL_ERROR_NOT_FOUND,
            _("there is no workspace; 'systemctl start sluice-bootloader' makes the first"));
    }
    return ctl->workspace_id;
}

/* --- output ------------------------------------------------------------------------------------
 */

static guint
count_lines(const char *text)
{
    guint n = 0;
    for (const char *p = strchr(text, '\n'); p != NULL; p = strchr(p + 1, '\n'))
        n++;
    return n;
}

static gboolean
start_pager(const char *text)
{
    struct winsize size;
    static const char *const names[] = {"SLUICE_PAGER", "PAGER"};
    const char *pager = "less";
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = g_getenv(names[i]);
        if (value != NULL) {
            pager = value;
            break;
        }
    }
    if (*pager == '\0' || strcmp(pager, "cat") == 0 || ioctl(1, TIOCGWINSZ, &size) != 0 ||
        count_lines(text) < size.ws_row)
        return FALSE;
    g_auto(GStrv) argv = NULL;
    if (!g_shell_parse_argv(pager, NULL, &argv, NULL))
        return FALSE;
    g_setenv("LESS", "FRSXMK", FALSE);
    /* A pager that reads shell commands from its environment or keyboard must not be root's trap.
     */
    if (geteuid() != getuid() || g_getenv("SUDO_UID") != NULL)
        g_setenv("LESSSECURE", "1", TRUE);
    g_autoptr(GSubprocess) process =
        g_subprocess_newv((const char *const *)argv, G_SUBPROCESS_FLAGS_STDIN_PIPE, NULL);
    return process != NULL && g_subprocess_communicate_utf8(process, text, NULL, NULL, NULL, NULL);
}

void
ctl_print(Ctl *ctl, const char *text)
{
    fflush(stdout);
    if (ctl->tty && ctl_option(ctl, CTL_OPT_NO_PAGER) == NULL && start_pager(text))
        return;
    fputs(text, stdout);
    fflush(stdout);
}

gboolean
ctl_confirm(const Ctl *ctl, const char *question, GError **error)
{
    char answer[16] = "";
    if (ctl_option(ctl, CTL_OPT_YES) != NULL)
        return TRUE;
    if (!isatty(0) || !isatty(2))
        return ctl_set_usage_error(error, _("%s Nobody can be asked here: say --yes"), question);
    g_autofree char *clean = clean_lines(question);
    fprintf(stderr, _("%s [y/N] "), clean);
    if (fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
        return TRUE;
    return sl_error_set(error, SL_ERROR_CANCELLED, _("nothing was changed"));
}

char *
ctl_read_file(const char *path, gsize *ret_len, GError **error)
{
    gboolean standard = strcmp(path, "-") == 0;
    sl_autofd int fd = standard ? dup(0) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        sl_error_set_errno(error, errno, _("cannot read '%s'"), path);
        return NULL;
    }
    char *text = sl_fd_read_all(fd, MAX_FILE, ret_len, error);
    if (text == NULL)
        g_prefix_error(error, "%s: ", standard ? _("standard input") : path);
    return text;
}
