/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-args.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-text.h"
#include "sl-error.h"
#include "sl-word.h"

const CtlOption ctl_options[CTL_N_OPTIONS] = {
    [CTL_OPT_HELP] = {"help", 'h', NULL, FALSE, NULL, N_("show this help")},
    [CTL_OPT_VERSION] = {"version", 0, NULL, FALSE, NULL, N_("show the version")},
    [CTL_OPT_QUIET] = {"quiet", 'q', NULL, FALSE, NULL, N_("say nothing but errors and results")},
    [CTL_OPT_NO_PAGER] = {"no-pager", 0, NULL, FALSE, NULL, N_("do not pipe into a pager")},
    [CTL_OPT_WORKSPACE] = {"workspace", 'w', N_("NAME"), FALSE, NULL,
                           N_("work in this workspace, not in the first one")},
    [CTL_OPT_HOST] = {"host", 'H', N_("URL"), FALSE, NULL,
                      N_("work on another host: 'https://sluice.example.com'")},
    [CTL_OPT_OUTPUT] = {"output", 'o', N_("FORMAT"), FALSE, "table|wide|json|jsonl|yaml|csv|name",
                        N_("how to print")},
    [CTL_OPT_LOG_OUTPUT] = {"output", 'o', N_("FORMAT"), FALSE, "short|cat|json",
                            N_("how to print")},
    [CTL_OPT_NO_LEGEND] = {"no-legend", 0, NULL, FALSE, NULL,
                           N_("print neither headings nor a summary")},
    [CTL_OPT_FULL] = {"full", 'l', NULL, FALSE, NULL, N_("do not shorten")},
    [CTL_OPT_UTC] = {"utc", 0, NULL, FALSE, NULL, N_("print times in UTC")},
    [CTL_OPT_LINES] = {"lines", 'n', N_("NUMBER"), FALSE, NULL, N_("show so many")},
    [CTL_OPT_STATE] = {"state", 0, N_("STATE"), FALSE, NULL, N_("only those in this state")},
    [CTL_OPT_PROPERTY] = {"property", 'p', N_("NAME"), FALSE, NULL,
                          N_("print only this property, 'a.b' for one inside another")},
    [CTL_OPT_FROM] = {"from", 0, N_("FILE"), FALSE, NULL,
                      N_("read the configuration (JSON) from a file, '-' for standard input")},
    [CTL_OPT_YES] = {"yes", 'y', NULL, FALSE, NULL, N_("do not ask")},
    [CTL_OPT_DRY_RUN] = {"dry-run", 0, NULL, FALSE, NULL,
                         N_("print what would be sent, send nothing")},
    [CTL_OPT_STREAMS] = {"streams", 0, N_("GLOB,…"), FALSE, NULL,
                         N_("only streams whose names match; a namespace may stand before a dot")},
    [CTL_OPT_STREAM] = {"stream", 0, N_("NAME"), FALSE, NULL,
                        N_("only this stream; NAMESPACE.NAME where several have the name")},
    [CTL_OPT_KEEP] = {"keep", 0, NULL, FALSE, NULL, N_("keep the rows that are there")},
    [CTL_OPT_MODE] = {"mode", 0, N_("MODE"), FALSE,
                      "overwrite|append|append-dedup|overwrite-dedup|incremental-append",
                      N_("sync mode of every stream")},
    [CTL_OPT_EVERY] = {"every", 0, N_("SPAN"), FALSE, NULL,
                       N_("run again and again: '6h', '30min'")},
    [CTL_OPT_CRON] = {"cron", 0, N_("EXPRESSION"), FALSE, NULL,
                      N_("run by a Quartz expression: '0 0 4 * * ?'")},
    [CTL_OPT_NAME] = {"name", 0, N_("NAME"), FALSE, NULL, N_("name of the new object")},
    [CTL_OPT_PREFIX] = {"prefix", 0, N_("TEXT"), FALSE, NULL,
                        N_("put this before every stream's name")},
    [CTL_OPT_NAMESPACE] =
        {"namespace", 0, N_("FORMAT"), FALSE, NULL,
         N_("namespace at the destination; '${SOURCE_NAMESPACE}' is the source's")},
    [CTL_OPT_FOLLOW] = {"follow", 'f', NULL, FALSE, NULL, N_("stay and show what happens")},
    [CTL_OPT_WAIT] = {"wait", 0, N_("SEC"), TRUE, NULL,
                      N_("wait for the end, at most so long; the exit status is the job's")},
    [CTL_OPT_PRIORITY] = {"priority", 'p', N_("LEVEL"), FALSE, "err|warning|info|debug",
                          N_("only this level and worse")},
    [CTL_OPT_DATA] = {"data", 'd', N_("JSON|@FILE"), FALSE, NULL,
                      N_("body of the request, '@-' for standard input")},
    [CTL_OPT_STATUS] = {"status", 0, NULL, FALSE, NULL, N_("show how it stands, change nothing")},
    [CTL_OPT_TYPE] = {"type", 0, N_("TYPE"), FALSE, "source|destination",
                      N_("what the connector is, where its name does not say")},
    [CTL_OPT_CONFIG] = {"config", 0, N_("FILE"), FALSE, NULL, N_("configuration of the connector")},
    [CTL_OPT_BAD_CONFIG] = {"bad-config", 0, N_("FILE"), FALSE, NULL,
                            N_("a configuration with which its check must fail")},
    [CTL_OPT_CATALOG] = {"catalog", 0, N_("FILE"), FALSE, NULL,
                         N_("configured catalog; by default a source reads all that it discovers")},
    [CTL_OPT_STATE_FILE] = {"state", 0, N_("FILE"), FALSE, NULL,
                            N_("states to go on from, as the connector gave them")},
    [CTL_OPT_INPUT] = {"input", 0, N_("FILE"), FALSE, NULL,
                       N_("messages for a destination; by default standard input")},
    [CTL_OPT_NO_SANDBOX] = {"no-sandbox", 0, NULL, FALSE, NULL,
                            N_("run it as you, without the sandbox of production")},
    [CTL_OPT_SINCE] = {"since", 'S', N_("TIME"), FALSE, NULL,
                       N_("from then on: '2026-08-01 12:00', '12:00', 'today', '2h ago'")},
    [CTL_OPT_UNTIL] = {"until", 'U', N_("TIME"), FALSE, NULL, N_("up to then")},
    [CTL_OPT_GREP] = {"grep", 'g', N_("PATTERN"), FALSE, NULL,
                      N_("only messages that match; without capitals, in any case")},
    [CTL_OPT_ALL] = {"all", 0, NULL, FALSE, NULL,
                     N_("new streams too, and without those that are gone")},
    [CTL_OPT_BY] = {"by", 0, N_("WHAT"), FALSE, "run|day|stream",
                    N_("a line for each run, for each stream and day, or for each stream")},
    [CTL_OPT_COMPONENTS] = {"components", 0, N_("FILE"), FALSE, NULL,
                            N_("Python code that a manifest brings")},
    [CTL_OPT_CONSENT] = {"consent", 0, N_("SHA256"), FALSE, NULL,
                         N_("of that code: it has been read, and may run")},
    [CTL_OPT_ALLOWED_HOSTS] =
        {"allowed-hosts", 0, N_("HOST,…"), FALSE, NULL,
         N_("what the connector may reach: addresses and blocks of them are enforced")},
};

G_DEFINE_QUARK(ctl - usage - error - quark, ctl_usage_error)

gboolean
ctl_set_usage_error(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, CTL_USAGE_ERROR, 0, text);
    return FALSE;
}

CtlExit
ctl_exit_for_error(const GError *error)
{
    static const struct {
        SlErrorCode code;
        CtlExit status;
    } rows[] = {
        {SL_ERROR_NOT_FOUND, CTL_EXIT_NOT_FOUND},   {SL_ERROR_UNAUTHENTICATED, CTL_EXIT_PERMISSION},
        {SL_ERROR_FORBIDDEN, CTL_EXIT_PERMISSION},  {SL_ERROR_UNAVAILABLE, CTL_EXIT_UNREACHABLE},
        {SL_ERROR_CANCELLED, CTL_EXIT_INTERRUPTED},
    };
    if (error->domain == CTL_USAGE_ERROR)
        return CTL_EXIT_USAGE;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (sl_error_code(error) == rows[i].code)
            return rows[i].status;
    return CTL_EXIT_FAILED;
}

void
ctl_args_free(CtlArgs *args)
{
    if (args == NULL)
        return;
    for (guint i = 0; i < CTL_N_OPTIONS; i++)
        g_free(args->values[i]);
    g_strfreev(args->args);
    g_free(args);
}

const CtlCommand *
ctl_args_find(const CtlCommand *commands, const char *words)
{
    for (const CtlCommand *command = commands; command->words != NULL; command++)
        if (strcmp(command->words, words) == 0)
            return command;
    return NULL;
}

/* Any option of that name or letter: one that `allowed` holds if there is one. -1: none. */
static int
find_option(const char *name, gsize len, char letter, guint64 allowed)
{
    int found = -1;
    for (int i = 0; i < CTL_N_OPTIONS; i++) {
        const CtlOption *option = &ctl_options[i];
        gboolean same = name != NULL
                            ? strlen(option->name) == len && memcmp(option->name, name, len) == 0
                            : option->letter == letter;
        if (same && (found < 0 || (allowed & CTL_BIT(i)) != 0))
            found = i;
    }
    return found;
}

/* Does the word `argv[i]` take the next word as its value? */
static gboolean
takes_next(const char *word)
{
    int id;
    if (g_str_has_prefix(word, "--")) {
        gsize len = strcspn(word + 2, "=");
        id = find_option(word + 2, len, 0, 0);
        if (word[2 + len] == '=')
            return FALSE;
    } else {
        const char *p = word + 1;
        for (id = -1; *p != '\0'; p++) {
            id = find_option(NULL, 0, *p, 0);
            if (id < 0 || ctl_options[id].value != NULL)
                break;
        }
        if (*p == '\0' || p[1] != '\0')
            return FALSE;
    }
    return id >= 0 && ctl_options[id].value != NULL && !ctl_options[id].optional;
}

static gboolean
is_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0';
}

/* The first two words that are no options; NULL where there are fewer. */
static void
find_words(const char *const *argv, const char *ret_words[2])
{
    guint n = 0;
    ret_words[0] = ret_words[1] = NULL;
    for (guint i = 1; argv[i] != NULL && n < 2; i++) {
        if (strcmp(argv[i], "--") == 0)
            return;
        if (!is_option(argv[i]))
            ret_words[n++] = argv[i];
        else if (takes_next(argv[i]) && argv[i + 1] != NULL)
            i++;
    }
}

/* "source" is no command, but "source create" is one: name them all. NULL: no such group. */
static char *
list_group(const CtlCommand *commands, const char *word)
{
    g_autoptr(GString) list = g_string_new(NULL);
    gsize len = strlen(word);
    for (const CtlCommand *command = commands; command->words != NULL; command++)
        if (strncmp(command->words, word, len) == 0 && command->words[len] == ' ')
            g_string_append_printf(list, "%s'%s'", list->len > 0 ? ", " : "", command->words);
    return list->len > 0 ? g_strdup(list->str) : NULL;
}

static gboolean
set_unknown_command(const CtlCommand *commands, const char *words[2], GError **error)
{
    g_autofree char *group = list_group(commands, words[0]);
    g_autofree char *both =
        group != NULL && words[1] != NULL ? g_strjoin(" ", words[0], words[1], NULL) : NULL;
    const char *word = both != NULL ? both : words[0];
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (const CtlCommand *command = commands; command->words != NULL; command++)
        g_ptr_array_add(names, (gpointer)command->words);
    g_ptr_array_add(names, NULL);
    if (group != NULL && words[1] == NULL)
        return ctl_set_usage_error(error, _("'%s' needs a second word: %s"), words[0], group);
    const char *nearest = sl_word_nearest(word, (const char *const *)names->pdata);
    if (nearest != NULL)
        return ctl_set_usage_error(error, _("unknown command '%s'; did you mean '%s'?"), word,
                                   nearest);
    return ctl_set_usage_error(error, _("unknown command '%s'; 'sluicectl help' lists all"), word);
}

static const CtlCommand *
find_command(const CtlCommand *commands, const char *fallback, const char *const *argv,
             guint *ret_n_words, GError **error)
{
    const char *words[2];
    find_words(argv, words);
    *ret_n_words = 0;
    if (words[0] == NULL)
        return ctl_args_find(commands, fallback);
    if (words[1] != NULL) {
        g_autofree char *both = g_strjoin(" ", words[0], words[1], NULL);
        const CtlCommand *command = ctl_args_find(commands, both);
        *ret_n_words = 2;
        if (command != NULL)
            return command;
    }
    *ret_n_words = 1;
    const CtlCommand *command = ctl_args_find(commands, words[0]);
    if (command == NULL)
        set_unknown_command(commands, words, error);
    return command;
}

static gboolean
is_choice(const char *choices, const char *value)
{
    g_auto(GStrv) list = g_strsplit(choices, "|", -1);
    return g_strv_contains((const char *const *)list, value);
}

static gboolean
set_option(CtlArgs *args, int id, const char *value, GError **error)
{
    const CtlOption *option = &ctl_options[id];
    if (value != NULL && *value != '\0' && option->choices != NULL &&
        !is_choice(option->choices, value)) {
        g_autofree char *list = g_strdelimit(g_strdup(option->choices), "|", ',');
        return ctl_set_usage_error(error, _("'--%s' cannot be '%s'; it is one of %s"), option->name,
                                   value, list);
    }
    g_free(args->values[id]);
    args->values[id] = g_strdup(value != NULL ? value : "");
    return TRUE;
}

static gboolean
set_unknown_option(const CtlArgs *args, const char *word, int id, GError **error)
{
    if (id >= 0)
        return ctl_set_usage_error(
            error, _("'%s' is no option of 'sluicectl %s'; 'sluicectl %s --help' lists them"), word,
            args->command->words, args->command->words);
    const char *names[CTL_N_OPTIONS + 1] = {NULL};
    guint64 allowed = CTL_GLOBAL_OPTIONS | args->command->options;
    guint n = 0;
    for (guint i = 0; i < CTL_N_OPTIONS; i++)
        if ((allowed & CTL_BIT(i)) != 0)
            names[n++] = ctl_options[i].name;
    g_autofree char *bare = g_strndup(word + 2, strcspn(word + MIN(2, strlen(word)), "="));
    const char *nearest = g_str_has_prefix(word, "--") ? sl_word_nearest(bare, names) : NULL;
    if (nearest != NULL)
        return ctl_set_usage_error(error, _("unknown option '%s'; did you mean '--%s'?"), word,
                                   nearest);
    return ctl_set_usage_error(error, _("unknown option '%s'; 'sluicectl %s --help' lists them"),
                               word, args->command->words);
}

/* "--name", "--name=value", "--name value". Moves *i over a value that it took. */
static gboolean
parse_long(CtlArgs *args, const char *const *argv, guint *i, GError **error)
{
    const char *word = argv[*i];
    guint64 allowed = CTL_GLOBAL_OPTIONS | args->command->options;
    gsize len = strcspn(word + 2, "=");
    int id = find_option(word + 2, len, 0, allowed);
    if (id < 0 || (allowed & CTL_BIT(id)) == 0)
        return set_unknown_option(args, word, id, error);
    const char *value = word[2 + len] == '=' ? word + 2 + len + 1 : NULL;
    if (ctl_options[id].value == NULL && value != NULL)
        return ctl_set_usage_error(error, _("'--%s' takes no value"), ctl_options[id].name);
    if (ctl_options[id].value != NULL && !ctl_options[id].optional && value == NULL) {
        value = argv[*i + 1];
        if (value == NULL)
            return ctl_set_usage_error(error, _("'--%s' needs a value: --%s=%s"),
                                       ctl_options[id].name, ctl_options[id].name,
                                       _(ctl_options[id].value));
        (*i)++;
    }
    return set_option(args, id, value, error);
}

/* "-q", "-fn10", "-n 10". */
static gboolean
parse_short(CtlArgs *args, const char *const *argv, guint *i, GError **error)
{
    guint64 allowed = CTL_GLOBAL_OPTIONS | args->command->options;
    for (const char *p = argv[*i] + 1; *p != '\0'; p++) {
        int id = find_option(NULL, 0, *p, allowed);
        if (id < 0 || (allowed & CTL_BIT(id)) == 0) {
            char word[3] = {'-', *p, '\0'};
            return set_unknown_option(args, word, id, error);
        }
        if (ctl_options[id].value == NULL) {
            if (!set_option(args, id, NULL, error))
                return FALSE;
            continue;
        }
        const char *value = p[1] != '\0' ? p + 1 : argv[*i + 1];
        if (value == NULL)
            return ctl_set_usage_error(error, _("'-%c' needs a value: -%c %s"), *p, *p,
                                       _(ctl_options[id].value));
        if (p[1] == '\0')
            (*i)++;
        return set_option(args, id, value, error);
    }
    return TRUE;
}

static gboolean
check_count(const CtlArgs *args, GError **error)
{
    guint n = g_strv_length(args->args);
    if (args->values[CTL_OPT_HELP] != NULL || args->values[CTL_OPT_VERSION] != NULL)
        return TRUE;
    if (n < args->command->min)
        return ctl_set_usage_error(error, _("something is missing: sluicectl %s %s"),
                                   args->command->words, args->command->synopsis);
    if (n > args->command->max)
        return ctl_set_usage_error(error, _("'%s' is too much: sluicectl %s %s"),
                                   args->args[args->command->max], args->command->words,
                                   args->command->synopsis);
    return TRUE;
}

CtlArgs *
ctl_args_parse(const CtlCommand *commands, const char *fallback, const char *const *argv,
               GError **error)
{
    guint skip;
    g_autoptr(CtlArgs) args = g_new0(CtlArgs, 1);
    args->command = find_command(commands, fallback, argv, &skip, error);
    if (args->command == NULL)
        return NULL;
    args->bare = skip == 0;
    g_autoptr(GPtrArray) rest = g_ptr_array_new_with_free_func(g_free);
    gboolean only_words = FALSE;
    for (guint i = 1; argv[i] != NULL; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = TRUE;
        } else if (only_words || !is_option(argv[i])) {
            if (skip > 0)
                skip--;
            else
                g_ptr_array_add(rest, g_strdup(argv[i]));
        } else if (!(g_str_has_prefix(argv[i], "--") ? parse_long : parse_short)(args, argv, &i,
                                                                                 error)) {
            return NULL;
        }
    }
    g_ptr_array_add(rest, NULL);
    args->args = (char **)g_ptr_array_free(g_steal_pointer(&rest), FALSE);
    return check_count(args, error) ? g_steal_pointer(&args) : NULL;
}
