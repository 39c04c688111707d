/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-job.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "ctl-progress.h"
#include "sl-error.h"

/* Following a job: a poll of the server every quarter of a second on a terminal, which is as often
 * as lines are drawn; every half second otherwise, and a line every ten seconds. */
#define POLL_TTY_MSEC 250
#define POLL_MSEC 500
#define LINE_USEC (10 * G_USEC_PER_SEC)
/* A server that restarts is back within seconds: the job does not mind, so neither do we. */
#define UNREACHABLE_USEC (60 * G_USEC_PER_SEC)

typedef struct {
    Ctl *ctl;
    GMainLoop *loop;
    CtlProgress *progress;
    gint64 id;
    const char *name;
    gboolean follow;
    gint64 limit;     /* monotonic; -1: none */
    gint64 last_line; /* when a plain line was printed */
    gint64 lost_at;   /* since when the server has been away; 0: it is there */
    guint drawn;      /* lines on the terminal that the next drawing replaces */
    char *last_head;  /* status and attempt of the last plain line */
    gboolean done;
    CtlExit status;
    GError *error;
} Watch;

/* Forgets what is drawn and wipes it. */
static void
wipe(Watch *watch)
{
    if (watch->drawn > 0)
        printf("\033[%uA\r\033[J", watch->drawn);
    watch->drawn = 0;
}

static void
draw(Watch *watch, const CtlJob *job, gint64 now)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    g_autoptr(GString) block = g_string_new(NULL);
    ioctl(1, TIOCGWINSZ, &size);
    ctl_progress_append_block(watch->progress, job, now, MAX(size.ws_row, 3), size.ws_col, block);
    wipe(watch);
    fputs(block->str, stdout);
    fflush(stdout);
    for (const char *p = block->str; *p != '\0'; p++)
        watch->drawn += *p == '\n';
}

static void
print_line(Watch *watch, const CtlJob *job, gint64 now)
{
    g_autofree char *head = g_strdup_printf("%s %" G_GINT64_FORMAT, job->status, job->attempt);
    if (g_strcmp0(head, watch->last_head) == 0 && now - watch->last_line < LINE_USEC)
        return;
    g_autofree char *line = ctl_progress_line(watch->progress, job, now);
    puts(line);
    fflush(stdout);
    g_free(watch->last_head);
    watch->last_head = g_steal_pointer(&head);
    watch->last_line = now;
}

static void
finish(Watch *watch, CtlExit status)
{
    watch->status = status;
    watch->done = TRUE;
    g_main_loop_quit(watch->loop);
}

static void
show(Watch *watch, const CtlJob *job, gint64 now)
{
    ctl_progress_update(watch->progress, job, now);
    if (!watch->follow || watch->ctl->quiet)
        return;
    if (watch->ctl->tty)
        draw(watch, job, now);
    else if (!ctl_job_is_terminal(job))
        print_line(watch, job, now);
}

/* Returns FALSE when the error is worth giving up. */
static gboolean
bear_error(Watch *watch, GError *error, gint64 now)
{
    gboolean away = g_error_matches(error, SL_ERROR, SL_ERROR_UNAVAILABLE) ||
                    g_error_matches(error, SL_ERROR, SL_ERROR_TIMED_OUT);
    if (watch->lost_at == 0)
        watch->lost_at = now;
    if (away && now - watch->lost_at < UNREACHABLE_USEC) {
        g_error_free(error);
        return TRUE;
    }
    watch->error = error;
    return FALSE;
}

static gboolean
on_poll(gpointer data)
{
    Watch *watch = data;
    GError *error = NULL;
    gint64 now = g_get_monotonic_time();
    g_autoptr(CtlJob) job = ctl_job_load(watch->ctl, watch->id, &error);
    if (job == NULL && !bear_error(watch, error, now)) {
        finish(watch, ctl_exit_for_error(watch->error));
        return G_SOURCE_CONTINUE;
    }
    if (job != NULL) {
        watch->lost_at = 0;
        show(watch, job, now);
        if (ctl_job_is_terminal(job)) {
            g_autofree char *summary = ctl_progress_summary(job, watch->name);
            ctl_say(watch->ctl, "%s", summary);
            finish(watch, ctl_job_exit(job));
            return G_SOURCE_CONTINUE;
        }
    }
    if (watch->limit >= 0 && now >= watch->limit) {
        ctl_say(watch->ctl, _("job %" G_GINT64_FORMAT " is still running"), watch->id);
        finish(watch, CTL_EXIT_RUNNING);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupt(gpointer data)
{
    Watch *watch = data;
    fprintf(stderr,
            _("\nDetached. The job goes on: 'sluicectl logs -f %" G_GINT64_FORMAT
              "' shows it, 'sluicectl cancel %" G_GINT64_FORMAT "' ends it.\n"),
            watch->id, watch->id);
    finish(watch, CTL_EXIT_INTERRUPTED);
    return G_SOURCE_CONTINUE;
}

CtlExit
ctl_job_watch(Ctl *ctl, gint64 id, const char *name, gboolean follow, gint64 limit_usec,
              GError **error)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(CtlProgress) progress = ctl_progress_new(ctl->style.utf8);
    Watch watch = {.ctl = ctl, .loop = loop, .progress = progress, .id = id, .name = name};
    watch.follow = follow;
    watch.limit = limit_usec >= 0 ? g_get_monotonic_time() + limit_usec : -1;
    guint interrupt = g_unix_signal_add(SIGINT, on_interrupt, &watch);
    guint poll = g_timeout_add(ctl->tty ? POLL_TTY_MSEC : POLL_MSEC, on_poll, &watch);
    watch.status = CTL_EXIT_OK;
    on_poll(&watch);
    /* Quitting before the loop runs would be forgotten. */
    if (!watch.done)
        g_main_loop_run(loop);
    g_source_remove(poll);
    g_source_remove(interrupt);
    g_free(watch.last_head);
    if (watch.error != NULL)
        g_propagate_error(error, watch.error);
    return watch.status;
}
