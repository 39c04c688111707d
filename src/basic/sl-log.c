/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_FIELDS 32

struct SlLogField {
    const char *name;
    char *value; /* NULL: adds nothing */
    struct SlLogField *outer;
};

static __thread struct SlLogField *innermost;
static const char *log_identifier = "sluice";

SlLogScope
sl_log_scope(const char *field, const char *value)
{
    struct SlLogField *scope = g_new0(struct SlLogField, 1);
    scope->name = field;
    scope->value = g_strdup(value);
    scope->outer = innermost;
    innermost = scope;
    return scope;
}

void
sl_log_scope_end(SlLogScope scope)
{
    if (scope == NULL)
        return;
    g_return_if_fail(scope == innermost);
    innermost = scope->outer;
    g_free(scope->value);
    g_free(scope);
}

static const char *
field_value(const GLogField *fields, gsize n_fields, const char *name)
{
    for (gsize i = 0; i < n_fields; i++)
        if (strcmp(fields[i].key, name) == 0 && fields[i].length < 0)
            return fields[i].value;
    return NULL;
}

static const char *
level_word(GLogLevelFlags level)
{
    if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
        return "error";
    if (level & G_LOG_LEVEL_WARNING)
        return "warning";
    return level & G_LOG_LEVEL_DEBUG ? "debug" : "info";
}

/* For a terminal or a test: one line, ids in brackets behind the text. */
static void
write_readable(GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const char *message = field_value(fields, n_fields, "MESSAGE");
    g_string_append_printf(line, "%s: %s: %s", log_identifier, level_word(level),
                           message != NULL ? message : "");
    for (gsize i = 0; i < n_fields; i++)
        if (g_str_has_prefix(fields[i].key, "SLUICE_") && fields[i].length < 0)
            g_string_append_printf(line, " [%s=%s]", fields[i].key + strlen("SLUICE_"),
                                   (const char *)fields[i].value);
    g_string_append_c(line, '\n');
    fputs(line->str, stderr);
}

static GLogWriterOutput
writer(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
    static int in_journal = -1;
    GLogField all[MAX_FIELDS];
    gsize n = MIN(n_fields, (gsize)MAX_FIELDS - 8);
    if (level & G_LOG_LEVEL_DEBUG && g_log_writer_default_would_drop(level, "sluice"))
        return G_LOG_WRITER_HANDLED;
    memcpy(all, fields, n * sizeof *fields);
    for (struct SlLogField *scope = innermost; scope != NULL && n < MAX_FIELDS - 1;
         scope = scope->outer)
        if (scope->value != NULL)
            all[n++] = (GLogField){scope->name, scope->value, -1};
    all[n++] = (GLogField){"SYSLOG_IDENTIFIER", log_identifier, -1};
    if (in_journal < 0)
        in_journal = g_log_writer_is_journald(fileno(stderr));
    if (in_journal && g_log_writer_journald(level, all, n, NULL) == G_LOG_WRITER_HANDLED)
        return G_LOG_WRITER_HANDLED;
    write_readable(level, all, n);
    return G_LOG_WRITER_HANDLED;
}

void
sl_log_init(const char *identifier)
{
    log_identifier = identifier;
    g_log_set_writer_func(writer, NULL, NULL);
}

/* syslog(3) priorities, as GLib's own journal writer uses them. */
static const char *
priority(GLogLevelFlags level)
{
    if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
        return "3";
    if (level & G_LOG_LEVEL_WARNING)
        return "4";
    return level & G_LOG_LEVEL_DEBUG ? "7" : "6";
}

void
sl_log_event(GLogLevelFlags level, const char *message_id, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    const GLogField fields[] = {
        {"MESSAGE", message, -1},
        {"MESSAGE_ID", message_id, -1},
        {"PRIORITY", priority(level), -1},
        {"GLIB_DOMAIN", "sluice", -1},
    };
    g_log_structured_array(level, fields, G_N_ELEMENTS(fields));
}
