/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "orchestrator-connector.h"

#include <glib-unix.h>
#include <signal.h>
#include <string.h>

#include "orchestrator-lines.h"
#include "sl-error.h"
#include "sl-fd.h"
#include "sl-init-peer.h"
#include "sl-init-wire.h"

#define START_USEC (10 * 60 * G_USEC_PER_SEC) /* the launcher starts so many at a time only */
#define CONNECT_MS 60000             /* from the launcher's "it runs" to the connector's start */
#define PREPARE_MS (10 * CONNECT_MS) /* from one word of who prepares its place to the next */
#define STDERR_LINE (256 * 1024)
#define STDERR_BURST 1000     /* lines that may come at once */
#define STDERR_PER_SECOND 100 /* and what comes back of them */
#define STDERR_SHORT 4096     /* a longer line counts as many */
#define TAIL 2000

struct OrchestratorConnector {
    OrchestratorStarter *starter;
    OrchestratorLog *log;
    OrchestratorRole role;
    SlInitPeer *peer;
    int in, out, err;
    OrchestratorLines stderr_lines;
    guint stderr_source, connect_source;
    double stderr_credit;
    gint64 stderr_time;
    guint64 stderr_dropped;
    GString *stderr_tail; /* the last words */
    gboolean started, ended;
    int exit_code, signum;
    int our_signal;  /* 0: we sent none */
    char *refusal;   /* why somebody who connected was sent away */
    char *end_error; /* how it ended otherwise */
    OrchestratorConnectorFunc func;
    gpointer data;
};

/* --- stderr ---------------------------------------------------------------- */

static SlJobLogSource
log_source(const OrchestratorConnector *c)
{
    return c->role == ORCHESTRATOR_SOURCE ? SL_JOB_LOG_SOURCE : SL_JOB_LOG_DESTINATION;
}

static void
note_dropped(OrchestratorConnector *c)
{
    if (c->stderr_dropped == 0)
        return;
    orchestrator_log_say(c->log, SL_JOB_LOG_WARN,
                         "%" G_GUINT64_FORMAT " lines of the %s's stderr were left out: too many",
                         c->stderr_dropped, orchestrator_role_name(c->role));
    c->stderr_dropped = 0;
}

static void
log_stderr(OrchestratorConnector *c, const char *line, gsize len)
{
    gint64 now = g_get_monotonic_time();
    gsize tail = MIN(len, TAIL);
    g_string_append_len(c->stderr_tail, line + len - tail, (gssize)tail);
    if (c->stderr_tail->len > TAIL)
        g_string_erase(c->stderr_tail, 0, (gssize)(c->stderr_tail->len - TAIL));
    c->stderr_credit += (double)(now - c->stderr_time) / G_USEC_PER_SEC * STDERR_PER_SECOND;
    c->stderr_credit = MIN(c->stderr_credit, STDERR_BURST);
    c->stderr_time = now;
    if (c->stderr_credit < 1) {
        c->stderr_dropped++;
        return;
    }
    c->stderr_credit -= 1 + (double)(len / STDERR_SHORT);
    note_dropped(c);
    orchestrator_log_line(c->log, SL_JOB_LOG_WARN, log_source(c), line, len, NULL);
}

static void
close_stderr(OrchestratorConnector *c)
{
    if (c->stderr_source != 0)
        g_source_remove(c->stderr_source);
    c->stderr_source = 0;
    note_dropped(c);
    orchestrator_lines_clear(&c->stderr_lines);
    sl_fd_clear(&c->err);
}

/* FALSE: the end. */
static gboolean
read_stderr(OrchestratorConnector *c)
{
    const char *line;
    gsize len;
    OrchestratorLinesResult result = orchestrator_lines_fill(&c->stderr_lines, &len);
    if (result == ORCHESTRATOR_LINES_TOO_LONG) {
        /* a flood without a newline is logged in pieces */
        log_stderr(c, c->stderr_lines.data + c->stderr_lines.start,
                   orchestrator_lines_rest(&c->stderr_lines));
        c->stderr_lines.start = c->stderr_lines.searched = c->stderr_lines.end;
        return TRUE;
    }
    while (orchestrator_lines_next(&c->stderr_lines, &line, &len))
        log_stderr(c, line, len);
    return result == ORCHESTRATOR_LINES_MORE || result == ORCHESTRATOR_LINES_EMPTY;
}

static gboolean
on_stderr(gint fd, GIOCondition condition, gpointer data)
{
    OrchestratorConnector *c = data;
    if (read_stderr(c))
        return G_SOURCE_CONTINUE;
    c->stderr_source = 0;
    close_stderr(c);
    return G_SOURCE_REMOVE;
}

/* What the connector said before it ended is read before its end is told: it is part of why.
 * Bounded, for somebody else may hold the pipe open and go on writing. */
static void
drain_stderr(OrchestratorConnector *c)
{
    for (guint i = 0; i < 64 && c->err >= 0; i++) {
        gsize before = c->stderr_lines.end;
        if (!read_stderr(c)) {
            close_stderr(c);
            return;
        }
        if (c->stderr_lines.end == before)
            return;
    }
}

/* --- life ------------------------------------------------------------------ */

static void
end(OrchestratorConnector *c, const char *why)
{
    if (c->ended)
        return;
    if (c->connect_source != 0)
        g_source_remove(c->connect_source);
    c->connect_source = 0;
    c->ended = TRUE;
    c->end_error = g_strdup(why);
    drain_stderr(c);
    c->func(c, ORCHESTRATOR_CONNECTOR_ENDED, c->data);
}

/* The start cannot succeed any more: whoever connects now comes too late. */
static void
give_up_start(OrchestratorConnector *c, const char *why)
{
    g_autofree char *text = g_strdup_printf("could not be started: %s", why);
    g_clear_pointer(&c->peer, sl_init_peer_free);
    end(c, text);
}

static gboolean
on_refused(gpointer data)
{
    OrchestratorConnector *c = data;
    c->connect_source = 0;
    give_up_start(c, c->refusal);
    return G_SOURCE_REMOVE;
}

/* Nobody but the connector's unit can see the socket: a stranger there is no accident to wait out.
 */
static gboolean
check_peer(pid_t pid, uid_t uid, gpointer data, GError **error)
{
    OrchestratorConnector *c = data;
    g_autoptr(GError) refusal = NULL;
    if (orchestrator_starter_check(c->starter, c->role, pid, &refusal))
        return TRUE;
    if (c->connect_source != 0)
        g_source_remove(c->connect_source);
    c->connect_source = g_idle_add(on_refused, c);
    g_free(c->refusal);
    c->refusal = g_strdup(refusal->message);
    g_propagate_error(error, g_steal_pointer(&refusal));
    return FALSE;
}

OrchestratorConnector *
orchestrator_connector_new(OrchestratorStarter *starter, OrchestratorLog *log,
                           OrchestratorRole role, gboolean with_stdin, GError **error)
{
    g_autoptr(OrchestratorConnector) c = g_new0(OrchestratorConnector, 1);
    c->starter = starter;
    c->log = log;
    c->role = role;
    c->in = c->out = c->err = -1;
    c->stderr_tail = g_string_new(NULL);
    c->stderr_credit = STDERR_BURST;
    c->stderr_time = g_get_monotonic_time();
    g_autofree char *path = orchestrator_starter_socket(starter, role);
    c->peer = sl_init_peer_new(path, error);
    if (c->peer == NULL ||
        !sl_init_peer_make_pipes(c->peer, with_stdin ? &c->in : NULL, &c->out, &c->err, error) ||
        (with_stdin && !sl_fd_set_nonblocking(c->in, TRUE, error)) ||
        !sl_fd_set_nonblocking(c->out, TRUE, error) || !sl_fd_set_nonblocking(c->err, TRUE, error))
        return NULL;
    sl_init_peer_set_check(c->peer, check_peer, c);
    orchestrator_lines_init(&c->stderr_lines, c->err, STDERR_LINE);
    return g_steal_pointer(&c);
}

void
orchestrator_connector_free(OrchestratorConnector *c)
{
    if (c == NULL)
        return;
    orchestrator_starter_forget(c->starter, c);
    if (c->connect_source != 0)
        g_source_remove(c->connect_source);
    close_stderr(c);
    sl_fd_clear(&c->in);
    sl_fd_clear(&c->out);
    sl_init_peer_free(c->peer);
    g_string_free(c->stderr_tail, TRUE);
    g_free(c->refusal);
    g_free(c->end_error);
    g_free(c);
}

gboolean
orchestrator_connector_add_arg(OrchestratorConnector *c, const char *arg, GError **error)
{
    return sl_init_peer_add_arg(c->peer, arg, error);
}

gboolean
orchestrator_connector_put_file(OrchestratorConnector *c, const char *name, GBytes *content,
                                char **ret_path, GError **error)
{
    g_autofree char *folder = orchestrator_starter_files(c->starter, c->role);
    *ret_path = g_build_filename(folder, name, NULL);
    return sl_init_peer_add_file(c->peer, name, content, error);
}

gboolean
orchestrator_connector_add_file(OrchestratorConnector *c, const char *option, const char *name,
                                GBytes *content, GError **error)
{
    g_autofree char *path = NULL, *flag = g_strconcat("--", option, NULL);
    return orchestrator_connector_put_file(c, name, content, &path, error) &&
           sl_init_peer_add_arg(c->peer, flag, error) && sl_init_peer_add_arg(c->peer, path, error);
}

gboolean
orchestrator_connector_add_env(OrchestratorConnector *c, const char *name, const char *value,
                               GError **error)
{
    return sl_init_peer_add_env(c->peer, name, value, error);
}

static gboolean
on_no_connection(gpointer data)
{
    OrchestratorConnector *c = data;
    c->connect_source = 0;
    give_up_start(c, "the launcher has started it, but it did not report to us");
    return G_SOURCE_REMOVE;
}

static void
on_start_done(const GError *error, gpointer data)
{
    OrchestratorConnector *c = data;
    if (c->started || c->ended || c->connect_source != 0)
        return; /* it runs: the answer came late, or was lost */
    if (error != NULL)
        give_up_start(c, error->message);
    else
        c->connect_source = g_timeout_add(CONNECT_MS, on_no_connection, c);
}

/* As long as it is being prepared, it need not be there; should who does that die, the socket says
 * so at once. */
static void
on_noted(OrchestratorConnector *c, const char *text)
{
    orchestrator_log_line(c->log, SL_JOB_LOG_INFO, log_source(c), text, strlen(text), NULL);
    if (c->connect_source == 0)
        return;
    g_source_remove(c->connect_source);
    c->connect_source = g_timeout_add(PREPARE_MS, on_no_connection, c);
}

static void
on_peer(SlInitPeer *peer, const SlInitPeerEvent *event, gpointer data)
{
    OrchestratorConnector *c = data;
    g_autofree char *why = NULL;
    switch (event->type) {
    case SL_INIT_PEER_NOTED:
        on_noted(c, event->text);
        return;
    case SL_INIT_PEER_STARTED:
        c->started = TRUE;
        if (c->connect_source != 0)
            g_source_remove(c->connect_source);
        c->connect_source = 0;
        c->func(c, ORCHESTRATOR_CONNECTOR_STARTED, c->data);
        return;
    case SL_INIT_PEER_EXITED:
        c->exit_code = event->exit_code;
        c->signum = event->signum;
        break;
    case SL_INIT_PEER_FAILED:
        why = g_strdup_printf("could not be started: %s", event->error->message);
        break;
    case SL_INIT_PEER_LOST:
        why = c->started ? g_strdup("ended without its exit status being known; all of its "
                                    "processes may have been killed together, for example for want "
                                    "of memory")
                         : g_strdup(event->error->message);
        break;
    }
    end(c, why);
}

void
orchestrator_connector_start(OrchestratorConnector *c, OrchestratorConnectorFunc func,
                             gpointer data)
{
    c->func = func;
    c->data = data;
    c->stderr_source = g_unix_fd_add(c->err, G_IO_IN | G_IO_HUP | G_IO_ERR, on_stderr, c);
    sl_init_peer_start(c->peer, NULL, g_get_monotonic_time() + START_USEC, on_peer, c);
    orchestrator_starter_start(c->starter, c->role, on_start_done, c);
}

void
orchestrator_connector_signal(OrchestratorConnector *c, int signum)
{
    g_autoptr(GError) error = NULL;
    if (c->ended || c->peer == NULL)
        return;
    if (sl_init_peer_signal(c->peer, signum, &error))
        c->our_signal = signum;
    else
        g_debug("signal %d to the %s: %s", signum, orchestrator_role_name(c->role), error->message);
}

int
orchestrator_connector_get_stdout(const OrchestratorConnector *c)
{
    return c->out;
}

int
orchestrator_connector_get_stdin(const OrchestratorConnector *c)
{
    return c->in;
}

void
orchestrator_connector_close_stdin(OrchestratorConnector *c)
{
    sl_fd_clear(&c->in);
}

OrchestratorRole
orchestrator_connector_get_role(const OrchestratorConnector *c)
{
    return c->role;
}

gboolean
orchestrator_connector_has_started(const OrchestratorConnector *c)
{
    return c->started;
}

gboolean
orchestrator_connector_has_ended(const OrchestratorConnector *c)
{
    return c->ended;
}

gboolean
orchestrator_connector_is_clean(const OrchestratorConnector *c)
{
    return c->ended && c->end_error == NULL && c->exit_code == 0 && c->signum == 0;
}

/* --- in words -------------------------------------------------------------- */

/* Exit codes that mean something; see sl-init-wire.h and sysexits of the shells. */
static const struct {
    int code;
    const char *meaning;
} exit_codes[] = {
    {SL_INIT_EXIT_NOT_EXECUTABLE, "its program, or one that it calls, cannot be executed"},
    {SL_INIT_EXIT_NOT_FOUND, "its program, or one that it calls, was not found"},
    {128 + SIGKILL, "a process of it was killed, most likely for want of memory"},
    {128 + SIGSEGV, "a process of it crashed"},
    {128 + SIGTERM, "a process of it was terminated"},
};

static char *
describe_exit(const OrchestratorConnector *c, const char *who)
{
    for (guint i = 0; i < G_N_ELEMENTS(exit_codes); i++) {
        if (exit_codes[i].code == c->exit_code)
            return g_strdup_printf("the %s ended with exit code %d: %s", who, c->exit_code,
                                   exit_codes[i].meaning);
    }
    return g_strdup_printf("the %s ended with exit code %d", who, c->exit_code);
}

char *
orchestrator_connector_describe_end(const OrchestratorConnector *c, char **ret_detail)
{
    const char *who = orchestrator_role_name(c->role);
    if (ret_detail != NULL) {
        g_autofree char *text = g_utf8_make_valid(c->stderr_tail->str, -1);
        g_strstrip(text);
        *ret_detail = *text != '\0' ? g_strdup_printf("last lines of stderr: %s", text) : NULL;
    }
    if (!c->ended)
        return g_strdup_printf("the %s is still running", who);
    if (c->end_error != NULL)
        return g_strdup_printf("the %s %s", who, c->end_error);
    if (c->signum == 0)
        return describe_exit(c, who);
    if (c->our_signal != 0)
        return g_strdup_printf("the %s was stopped by us (signal %d, %s)", who, c->signum,
                               g_strsignal(c->signum));
    if (c->signum == SIGKILL)
        return g_strdup_printf("the %s was killed (signal 9): by the kernel because it needed more "
                               "memory than it may, or by hand; the journal says which",
                               who);
    return g_strdup_printf("the %s was ended by signal %d (%s)", who, c->signum,
                           g_strsignal(c->signum));
}
