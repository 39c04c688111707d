/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

/* The completions are data made from the two tables, and a few lines of each shell around them. */

/* A command that prints the words an argument may be; NULL: files. */
static const char *
words_of(CtlArgKind kind)
{
    static const char *const listings[CTL_N_ARGS] = {
        [CTL_ARG_CONNECTION] = "list-connections",
        [CTL_ARG_SOURCE] = "list-sources",
        [CTL_ARG_DESTINATION] = "list-destinations",
        [CTL_ARG_SOURCE_TYPE] = "list-connectors --type=source",
        [CTL_ARG_DESTINATION_TYPE] = "list-connectors --type=destination",
        [CTL_ARG_CONNECTOR] = "list-connectors",
        [CTL_ARG_OBJECT] = "list-connections",
    };
    return listings[kind];
}

static const char *
fixed_words(CtlArgKind kind)
{
    switch (kind) {
    case CTL_ARG_SHELL:
        return "bash zsh fish";
    case CTL_ARG_METHOD:
        return "GET POST PUT PATCH DELETE";
    default:
        return NULL;
    }
}

static char *
option_words(guint64 options)
{
    g_autoptr(GString) words = g_string_new(NULL);
    for (guint i = 0; i < CTL_N_OPTIONS; i++) {
        const CtlOption *option = &ctl_options[i];
        if ((options & CTL_BIT(i)) != 0)
            g_string_append_printf(words, "%s--%s%s", words->len > 0 ? " " : "", option->name,
                                   option->value != NULL && !option->optional ? "=" : "");
    }
    return g_strdup(words->str);
}

/* The first words of all commands, each once. */
static char *
first_words(const CtlCommand *commands)
{
    g_autoptr(GString) words = g_string_new(NULL);
    g_autofree char *last = NULL;
    for (const CtlCommand *command = commands; command->words != NULL; command++) {
        g_autofree char *first = g_strndup(command->words, strcspn(command->words, " "));
        if (g_strcmp0(first, last) == 0)
            continue;
        g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", first);
        g_free(last);
        last = g_steal_pointer(&first);
    }
    return g_strdup(words->str);
}

/* "source" → "create test delete"; NULL: not a group. */
static char *
second_words(const CtlCommand *commands, const char *group)
{
    g_autoptr(GString) words = g_string_new(NULL);
    gsize len = strlen(group);
    for (const CtlCommand *command = commands; command->words != NULL; command++)
        if (strncmp(command->words, group, len) == 0 && command->words[len] == ' ')
            g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "",
                                   command->words + len + 1);
    return words->len > 0 ? g_strdup(words->str) : NULL;
}

/* --- bash --------------------------------------------------------------------------------------
 */

static void
append_bash_choices(GString *out)
{
    for (guint i = 0; i < CTL_N_OPTIONS; i++) {
        if (ctl_options[i].choices == NULL || i == CTL_OPT_LOG_OUTPUT)
            continue;
        g_autofree char *choices = g_strdelimit(g_strdup(ctl_options[i].choices), "|", ' ');
        g_string_append_printf(out, "    --%s) echo '%s' ;;\n", ctl_options[i].name, choices);
    }
}

static char *
argument_source(CtlArgKind kind)
{
    if (fixed_words(kind) != NULL)
        return g_strdup_printf("echo '%s'", fixed_words(kind));
    if (words_of(kind) != NULL)
        return g_strdup_printf("sluicectl %s -o name 2>/dev/null", words_of(kind));
    return g_strdup(kind == CTL_ARG_COMMAND ? "echo \"$_sluicectl_commands\"" : ":");
}

static char *
build_bash(const CtlCommand *commands)
{
    g_autofree char *first = first_words(commands);
    g_autoptr(GString) out = g_string_new("# bash completion of sluicectl; made by 'sluicectl "
                                          "completion bash'\n\n");
    g_string_append_printf(
        out, "_sluicectl_commands='%s'\n\n_sluicectl_second() {\n    case $1 in\n", first);
    g_auto(GStrv) groups = g_strsplit(first, " ", -1);
    for (guint i = 0; groups[i] != NULL; i++) {
        g_autofree char *second = second_words(commands, groups[i]);
        if (second != NULL)
            g_string_append_printf(out, "    %s) echo '%s' ;;\n", groups[i], second);
    }
    g_string_append(out, "    esac\n}\n\n_sluicectl_options() {\n    case $1 in\n");
    for (const CtlCommand *command = commands; command->words != NULL; command++) {
        g_autofree char *options = option_words(command->options | CTL_GLOBAL_OPTIONS);
        g_string_append_printf(out, "    '%s') echo '%s' ;;\n", command->words, options);
    }
    g_string_append(out, "    esac\n}\n\n_sluicectl_arguments() {\n    case $1:$2 in\n");
    for (const CtlCommand *command = commands; command->words != NULL; command++) {
        if (command->max == 0)
            continue;
        g_autofree char *one = argument_source(command->args[0]);
        CtlArgKind rest =
            command->max == G_MAXUINT && command->args[1] == CTL_ARG_NONE && command->min <= 1
                ? command->args[0]
                : command->args[1];
        g_autofree char *more = argument_source(rest);
        g_string_append_printf(out, "    '%s:0') %s ;;\n", command->words, one);
        if (command->max > 1)
            g_string_append_printf(out, "    '%s:'*) %s ;;\n", command->words, more);
    }
    g_string_append(out, "    esac\n}\n\n_sluicectl_choices() {\n    case $1 in\n");
    append_bash_choices(out);
    g_string_append(
        out, "    esac\n}\n\n"
             "_sluicectl() {\n"
             "    local cur=${COMP_WORDS[COMP_CWORD]} command='' n=0 i word words\n"
             "    COMPREPLY=()\n"
             "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
             "        word=${COMP_WORDS[i]}\n"
             "        [[ $word == -* || $word == '=' ]] && continue\n"
             "        [[ ${COMP_WORDS[i - 1]} == '=' ]] && continue\n"
             "        if [[ -z $command ]]; then command=$word\n"
             "        elif [[ $command != *' '* && -n $(_sluicectl_second \"$command\") ]]; then\n"
             "            command+=\" $word\"\n"
             "        else n=$((n + 1)); fi\n"
             "    done\n"
             "    if [[ $cur == '=' || ${COMP_WORDS[COMP_CWORD - 1]} == '=' ]]; then\n"
             "        [[ $cur == '=' ]] && { word=${COMP_WORDS[COMP_CWORD - 1]}; cur=''; } ||\n"
             "            word=${COMP_WORDS[COMP_CWORD - 2]}\n"
             "        words=$(_sluicectl_choices \"$word\")\n"
             "    elif [[ $cur == -* ]]; then words=$(_sluicectl_options \"${command:-status}\")\n"
             "    elif [[ -z $command ]]; then words=$_sluicectl_commands\n"
             "    elif [[ $command != *' '* && -n $(_sluicectl_second \"$command\") ]]; then\n"
             "        words=$(_sluicectl_second \"$command\")\n"
             "    else words=$(_sluicectl_arguments \"$command\" \"$n\"); fi\n"
             "    local IFS=$' \\n'\n"
             "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
             "    [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace\n"
             "}\n"
             "complete -o default -F _sluicectl sluicectl\n");
    return g_strdup(out->str);
}

/* --- zsh ---------------------------------------------------------------------------------------
 */

static char *
build_zsh(const CtlCommand *commands)
{
    g_autofree char *bash = build_bash(commands);
    /* zsh runs bash's completion functions; words and their meanings stay in one place. */
    return g_strdup_printf("#compdef sluicectl\n"
                           "autoload -U +X compinit bashcompinit && bashcompinit\n\n%s",
                           bash);
}

/* --- fish --------------------------------------------------------------------------------------
 */

static void
append_fish_options(GString *out, const CtlCommand *command)
{
    guint64 options = command->options | CTL_GLOBAL_OPTIONS;
    for (guint i = 0; i < CTL_N_OPTIONS; i++) {
        const CtlOption *option = &ctl_options[i];
        if ((options & CTL_BIT(i)) == 0)
            continue;
        g_autofree char *choices =
            option->choices != NULL ? g_strdelimit(g_strdup(option->choices), "|", ' ') : NULL;
        g_autofree char *help = g_shell_quote(_(option->help));
        g_string_append_printf(out, "complete -c sluicectl -n '__sluicectl_at \"%s\"' -l %s",
                               command->words, option->name);
        if (option->letter != 0)
            g_string_append_printf(out, " -s %c", option->letter);
        if (choices != NULL)
            g_string_append_printf(out, " -x -a '%s'", choices);
        else if (option->value != NULL && !option->optional)
            g_string_append(out, " -r");
        g_string_append_printf(out, " -d %s\n", help);
    }
}

static char *
build_fish(const CtlCommand *commands)
{
    g_autoptr(GString) out =
        g_string_new("# fish completion of sluicectl; made by 'sluicectl completion fish'\n\n"
                     "function __sluicectl_at\n"
                     "    set -l words (string match -v -- '-*' (commandline -opc)[2..])\n"
                     "    string match -q -- \"$argv[1] *\" (string join ' ' -- $words)' '\n"
                     "end\n"
                     "function __sluicectl_words\n"
                     "    count (string match -v -- '-*' (commandline -opc)[2..])\n"
                     "end\n\n"
                     "complete -c sluicectl -f\n");
    for (const CtlCommand *command = commands; command->words != NULL; command++) {
        const char *blank = strchr(command->words, ' ');
        g_autofree char *first = g_strndup(command->words, strcspn(command->words, " "));
        g_autofree char *help = g_shell_quote(_(command->help));
        if (blank == NULL)
            g_string_append_printf(
                out, "complete -c sluicectl -n 'test (__sluicectl_words) -eq 0' -a %s -d %s\n",
                first, help);
        else
            g_string_append_printf(
                out,
                "complete -c sluicectl -n 'test (__sluicectl_words) -eq 0' -a %s\n"
                "complete -c sluicectl -n '__sluicectl_at %s; and test (__sluicectl_words) -eq 1' "
                "-a %s -d %s\n",
                first, first, blank + 1, help);
        g_autofree char *words = argument_source(command->args[0]);
        if (command->max > 0 && command->args[0] != CTL_ARG_NONE &&
            command->args[0] != CTL_ARG_COMMAND)
            g_string_append_printf(out,
                                   "complete -c sluicectl -n '__sluicectl_at \"%s\"' -a \"(%s)\"\n",
                                   command->words, words);
        append_fish_options(out, command);
    }
    return g_strdup(out->str);
}

char *
ctl_completion_build(const CtlCommand *commands, const char *shell)
{
    static const struct {
        const char *shell;
        char *(*build)(const CtlCommand *commands);
    } rows[] = {{"bash", build_bash}, {"zsh", build_zsh}, {"fish", build_fish}};
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].shell, shell) == 0)
            return rows[i].build(commands);
    return NULL;
}

CtlExit
ctl_run_completion(Ctl *ctl, GError **error)
{
    g_autofree char *text = ctl_completion_build(ctl_commands, ctl->args->args[0]);
    if (text == NULL) {
        ctl_set_usage_error(error, _("there are completions for bash, zsh and fish, not for '%s'"),
                            ctl->args->args[0]);
        return CTL_EXIT_USAGE;
    }
    ctl_print(ctl, text);
    return CTL_EXIT_OK;
}
