/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "init-child.h"
#include "init-link.h"
#include "init-setup.h"
#include "sl-init-wire.h"

extern char **environ;

static const char usage[] =
    "Usage: sluice-init [OPTION…] [--] [PROGRAM [ARGUMENT…]]\n"
    "Runs one connector for the peer that listens on the control socket.\n"
    "\n"
    "  --socket PATH     control socket (" SL_INIT_SOCKET ")\n"
    "  --files DIR       where the peer's files are written (" SL_INIT_FILES ")\n"
    "  --deadline MS     how long the peer may be absent or silent before the start (30000)\n"
    "  --env NAME=VALUE  a variable of the connector, besides those that are kept of the "
    "environment\n"
    "  --kill-after MS   from SIGTERM to SIGKILL when the connector has to end (5000)\n"
    "  --version, --help\n";

typedef struct {
    const char *socket;
    const char *files;
    int64_t deadline_ms;
    int64_t kill_after_ms;
    unsigned n_env;
    char *env[SL_INIT_MAX_ENV];
} Options;

static int64_t
parse_ms(const char *name, const char *value)
{
    char *end;
    errno = 0;
    long long ms = strtoll(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0' || ms < 1 || ms > 86400000)
        link_fail(SL_INIT_EXIT_FAILED, "%s: '%s' is not a number of milliseconds up to a day", name,
                  value);
    return ms;
}

static void
take_env(Options *options, char *entry)
{
    if (*entry == '=' || strchr(entry, '=') == NULL)
        link_fail(SL_INIT_EXIT_FAILED, "--env: '%s' is not NAME=VALUE", entry);
    if (options->n_env == SL_INIT_MAX_ENV)
        link_fail(SL_INIT_EXIT_FAILED, "more than %u environment variables", SL_INIT_MAX_ENV);
    options->env[options->n_env++] = entry;
}

/* Returns the rest of the command line: the connector's own. */
static char **
parse_options(char **argv, Options *options)
{
    for (argv++; *argv != NULL && strncmp(*argv, "--", 2) == 0; argv += 2) {
        const char *name = argv[0], *value = argv[1];
        if (strcmp(name, "--") == 0)
            return argv + 1;
        if (strcmp(name, "--help") == 0 || strcmp(name, "--version") == 0) {
            fputs(name[2] == 'h' ? usage : "sluice-init " PACKAGE_VERSION "\n", stdout);
            exit(fflush(stdout) == 0 ? 0 : SL_INIT_EXIT_FAILED);
        }
        if (value == NULL)
            link_fail(SL_INIT_EXIT_FAILED, "%s: unknown, or its value is missing", name);
        if (strcmp(name, "--env") == 0)
            take_env(options, argv[1]);
        else if (strcmp(name, "--socket") == 0)
            options->socket = value;
        else if (strcmp(name, "--files") == 0)
            options->files = value;
        else if (strcmp(name, "--deadline") == 0)
            options->deadline_ms = parse_ms(name, value);
        else if (strcmp(name, "--kill-after") == 0)
            options->kill_after_ms = parse_ms(name, value);
        else
            link_fail(SL_INIT_EXIT_FAILED, "unknown option %s", name);
    }
    return argv;
}

/* With one of 0, 1, 2 closed a received descriptor could land there and be lost in dup2(). */
static void
fill_standard_fds(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR);
        if (fd < 0)
            fd = open("/", O_PATH);
        if (fd < 0)
            _exit(SL_INIT_EXIT_FAILED);
    } while (fd <= STDERR_FILENO);
    close(fd);
}

/* The connector is not trusted: no setuid program may lift it, it may not trace us and speak to the
 * peer in our name, and its orphans come to us. */
static void
confine(void)
{
    static const struct {
        int option;
        unsigned long value;
        const char *name;
    } settings[] = {
        {PR_SET_NO_NEW_PRIVS, 1, "no new privileges"},
        {PR_SET_DUMPABLE, 0, "not dumpable"},
        {PR_SET_CHILD_SUBREAPER, 1, "child subreaper"},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (prctl(settings[i].option, settings[i].value, 0, 0, 0) < 0)
            link_fail(SL_INIT_EXIT_FAILED, "setting %s: %m", settings[i].name);
}

int
main(int argc, char **argv)
{
    static InitSetup setup;
    static Options options = {SL_INIT_SOCKET, SL_INIT_FILES, 30000, 5000, 0, {0}};
    (void)argc;
    fill_standard_fds();
    char **rest = parse_options(argv, &options);
    confine();
    link_signals_open();
    link_open(options.socket, options.deadline_ms);
    setup_begin(&setup, rest, environ);
    for (unsigned i = 0; i < options.n_env; i++)
        setup_add_env(&setup, options.env[i]);
    setup_receive(&setup, options.files);
    child_start(&setup);
    return child_supervise(options.kill_after_ms);
}
