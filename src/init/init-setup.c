/* SPDX-License-Identifier: Apache-2.0 */
#include "init-setup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init-link.h"

/* What stays of the environment that sluice-init was started with: where programs, home, language
 * and certificates are, and the variables of the language runtimes. All else goes: NOTIFY_SOCKET,
 * CREDENTIALS_DIRECTORY, LISTEN_FDS, INVOCATION_ID, JOURNAL_STREAM, LD_PRELOAD and the like are
 * meant for sluice-init or for nobody. The peer adds what a connector needs beyond this (ENV). */
static const char *const kept_names[] = {
    "PATH",           "HOME",       "LANG",     "LANGUAGE",    "TZ",        "TMPDIR",
    "USER",           "LOGNAME",    "SHELL",    "HTTP_PROXY",  "NO_PROXY",  "HTTPS_PROXY",
    "ALL_PROXY",      "http_proxy", "no_proxy", "https_proxy", "all_proxy", "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
};
static const char *const kept_prefixes[] = {"LC_", "PYTHON", "NODE_", "SSL_", "JAVA_", "AIRBYTE_"};

/* The strings of ARG and ENV. Never touched, never resident: a large .bss costs nothing. */
static char strings[SL_INIT_MAX_STRINGS];
static size_t strings_used;

static int
is_kept(const char *entry)
{
    size_t name_length = strcspn(entry, "=");
    for (size_t i = 0; i < sizeof kept_names / sizeof *kept_names; i++)
        if (strlen(kept_names[i]) == name_length && memcmp(kept_names[i], entry, name_length) == 0)
            return 1;
    for (size_t i = 0; i < sizeof kept_prefixes / sizeof *kept_prefixes; i++)
        if (strncmp(kept_prefixes[i], entry, strlen(kept_prefixes[i])) == 0)
            return 1;
    return 0;
}

void
setup_add_env(InitSetup *setup, char *entry)
{
    size_t name_length = strcspn(entry, "=");
    for (unsigned i = 0; i < setup->n_env; i++)
        if (strncmp(setup->env[i], entry, name_length + 1) == 0) {
            setup->env[i] = entry;
            return;
        }
    if (setup->n_env == SL_INIT_MAX_ENV)
        link_fail(SL_INIT_EXIT_FAILED, "more than %u environment variables", SL_INIT_MAX_ENV);
    setup->env[setup->n_env++] = entry;
}

static void
add_arg(InitSetup *setup, char *arg)
{
    if (setup->n_args == SL_INIT_MAX_ARGS)
        link_fail(SL_INIT_EXIT_FAILED, "more than %u arguments", SL_INIT_MAX_ARGS);
    setup->argv[setup->n_args++] = arg;
}

void
setup_begin(InitSetup *setup, char **args, char **environment)
{
    for (int i = 0; i < SL_INIT_MAX_FDS; i++)
        setup->fds[i] = -1;
    for (; *args != NULL; args++)
        add_arg(setup, *args);
    for (; *environment != NULL; environment++)
        if (is_kept(*environment))
            setup_add_env(setup, *environment);
}

/* Reads a payload of text into the static storage. */
static char *
read_string(const char *what, uint32_t length)
{
    if (length >= sizeof strings - strings_used)
        link_fail(SL_INIT_EXIT_FAILED, "arguments and environment are larger than %u bytes",
                  SL_INIT_MAX_STRINGS);
    char *string = strings + strings_used;
    link_read(string, length, NULL);
    string[length] = '\0';
    if (strlen(string) != length)
        link_fail(SL_INIT_EXIT_FAILED, "peer sent %s with a NUL in it", what);
    strings_used += length + 1;
    return string;
}

static void
write_all(int fd, const char *name, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            link_fail(SL_INIT_EXIT_FAILED, "writing file '%s': %m", name);
        data += n;
        length -= (size_t)n;
    }
}

/* Reads the name that begins a FILE frame; returns how much of the payload is left. */
static uint32_t
read_name(char name[SL_INIT_MAX_NAME + 1], uint32_t length)
{
    for (size_t used = 0; used <= SL_INIT_MAX_NAME && length > 0; used++) {
        link_read(&name[used], 1, NULL);
        length--;
        if (name[used] != '\0')
            continue;
        if (!sl_init_name_ok(name))
            link_fail(SL_INIT_EXIT_FAILED, "peer sent a file with the name '%s'", name);
        return length;
    }
    link_fail(SL_INIT_EXIT_FAILED, "peer sent a file without a name, or with one over %u bytes",
              SL_INIT_MAX_NAME);
}

static void
receive_file(const char *folder, uint32_t length)
{
    char name[SL_INIT_MAX_NAME + 1], chunk[16384];
    length = read_name(name, length);
    if (length > SL_INIT_MAX_FILE)
        link_fail(SL_INIT_EXIT_FAILED, "file '%s' is larger than %u bytes", name, SL_INIT_MAX_FILE);
    int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        link_fail(SL_INIT_EXIT_FAILED, "opening %s: %m", folder);
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        link_fail(SL_INIT_EXIT_FAILED, "making file '%s' in %s: %m", name, folder);
    fchmod(fd, 0600); /* a umask may have taken the owner's bits */
    while (length > 0) {
        uint32_t n = length < sizeof chunk ? length : (uint32_t)sizeof chunk;
        link_read(chunk, n, NULL);
        write_all(fd, name, chunk, n);
        length -= n;
    }
    if (close(fd) < 0)
        link_fail(SL_INIT_EXIT_FAILED, "closing file '%s': %m", name);
    close(dir);
}

/* "22": octal. Sockets that a source makes are to be open to its peer, who is another user. */
static void
set_umask(const char *text)
{
    mode_t mask = 0;
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '7' || p - text > 3)
            link_fail(SL_INIT_EXIT_FAILED, "peer sent a file mode mask that is none");
        mask = mask * 8 + (mode_t)(*p - '0');
    }
    umask(mask & 0777);
}

static void
receive_env(InitSetup *setup, uint32_t length)
{
    char *entry = read_string("a variable", length);
    if (entry[0] == '=' || strchr(entry, '=') == NULL)
        link_fail(SL_INIT_EXIT_FAILED, "peer sent a variable that is not NAME=VALUE");
    if (strncmp(entry, SL_INIT_UMASK "=", sizeof SL_INIT_UMASK) == 0)
        set_umask(entry + sizeof SL_INIT_UMASK);
    else
        setup_add_env(setup, entry);
}

static void
take_fds(InitSetup *setup, const int *fds)
{
    if (setup->fds[0] >= 0)
        link_fail(SL_INIT_EXIT_FAILED, "peer sent descriptors twice");
    if (fds[SL_INIT_MAX_FDS - 1] < 0)
        link_fail(SL_INIT_EXIT_FAILED, "peer sent fewer than %d descriptors", SL_INIT_MAX_FDS);
    memcpy(setup->fds, fds, sizeof setup->fds);
}

void
setup_receive(InitSetup *setup, const char *files)
{
    for (;;) {
        uint8_t header[SL_INIT_HEADER_SIZE];
        int fds[SL_INIT_MAX_FDS];
        link_read(header, sizeof header, fds);
        uint8_t type = header[0];
        uint32_t length = sl_init_get_u32(header + 1);
        if (!sl_init_length_ok(type, length))
            link_fail(SL_INIT_EXIT_FAILED, "peer sent a frame of type 0x%02x with %u bytes", type,
                      length);
        if (type != SL_INIT_FDS && fds[0] >= 0)
            link_fail(SL_INIT_EXIT_FAILED, "peer sent descriptors with a frame of type 0x%02x",
                      type);
        switch (type) {
        case SL_INIT_FDS:
            take_fds(setup, fds);
            break;
        case SL_INIT_FILE:
            receive_file(files, length);
            break;
        case SL_INIT_ARG:
            add_arg(setup, read_string("an argument", length));
            break;
        case SL_INIT_ENV:
            receive_env(setup, length);
            break;
        case SL_INIT_START:
            if (setup->fds[0] < 0)
                link_fail(SL_INIT_EXIT_FAILED, "peer sent no descriptors before the start");
            if (setup->n_args == 0)
                link_fail(SL_INIT_EXIT_FAILED, "no program to start was given");
            return;
        default:
            link_fail(SL_INIT_EXIT_FAILED, "peer sent a frame of type 0x%02x before the start",
                      type);
        }
    }
}
