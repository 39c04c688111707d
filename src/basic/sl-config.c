/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-config.h"

#include <string.h>

#include "sl-error.h"
#include "sl-time.h"
#include "sl-word.h"

#define DEFAULT_PATH SL_SYSCONFDIR "/sluice.conf"

typedef enum {
    KEY_STRING,
    KEY_NUMBER,
    KEY_BYTES, /* K, M, G, T: powers of 1024 */
    KEY_SPAN,
    KEY_SWITCH, /* yes, no and what systemd.syntax(7) says besides: 1 or 0 */
} KeyKind;

typedef struct {
    const char *section;
    const char *key;
    KeyKind kind;
    gsize offset;
    const char *fallback; /* the default, written as a user would */
    gint64 min, max;
    const char *meaning;
} Key;

#define AT(member) G_STRUCT_OFFSET(SlConfig, member)
#define SEC ((gint64)G_USEC_PER_SEC)
#define DAY (86400 * SEC)
#define GIB (G_GINT64_CONSTANT(1) << 30)

static const Key keys[] = {
    {"Database", "Url", KEY_STRING, AT(database_url), "", 0, 0,
     "libpq connection string; empty: the private cluster of sluice-postgres.service"},
    {"Database", "PoolSize", KEY_NUMBER, AT(database_pool_size), "4", 1, 64,
     "connections that one process opens at most"},
    {"Database", "TimeoutSec", KEY_SPAN, AT(database_timeout_usec), "30s", SEC, DAY,
     "longest run of one statement"},
    {"Database", "Dumps", KEY_NUMBER, AT(database_dumps), "3", 0, 100,
     "so many dumps are kept of the database as it was before upgrades; 0: none is taken"},
    {"Server", "PublicUrl", KEY_STRING, AT(server_public_url), "http://localhost:8000", 0, 0,
     "address under which clients reach the API"},
    {"Server", "WebFolder", KEY_STRING, AT(server_web_folder), SL_PKGDATADIR "/web", 0, 0,
     "where the page lies that browsers are given; a folder without one: only the API"},
    {"Server", "IdleSec", KEY_SPAN, AT(server_idle_usec), "30s", SEC, DAY,
     "the APIs exit after so long without a request; their sockets start them again"},
    {"Server", "MaxConnections", KEY_NUMBER, AT(server_max_connections), "512", 1, 65536,
     "connections open at once; more wait in the backlog"},
    {"Server", "MaxBody", KEY_BYTES, AT(server_max_body), "10M", 1024, GIB, "largest request body"},
    {"Server", "Threads", KEY_NUMBER, AT(server_threads), "4", 1, 64,
     "requests handled at the same time"},
    {"Server", "TokenSec", KEY_SPAN, AT(server_token_usec), "15min", 10 * SEC, DAY,
     "how long an access token of an application is good"},
    {"Server", "SessionTokenSec", KEY_SPAN, AT(server_session_token_usec), "3min", 10 * SEC, DAY,
     "how long an access token of a browser is good; it is renewed while the login lasts"},
    {"Server", "SessionSec", KEY_SPAN, AT(server_session_usec), "30d", 60 * SEC, 365 * DAY,
     "how long a login lasts"},
    {"Server", "SetupLinkSec", KEY_SPAN, AT(server_setup_link_usec), "1d", 60 * SEC, 30 * DAY,
     "how long a link that sets a password is good"},
    {"Workload", "ClaimSec", KEY_SPAN, AT(workload_claim_usec), "30min", SEC, 7 * DAY,
     "a workload that no launcher takes for so long fails"},
    {"Workload", "LeaseSec", KEY_SPAN, AT(workload_lease_usec), "2min", 5 * SEC, DAY,
     "a workload whose holder is silent for so long fails"},
    {"Workload", "HeartbeatSec", KEY_SPAN, AT(workload_heartbeat_usec), "5s", SEC, DAY,
     "how often a holder shows that it lives; at most a third of LeaseSec"},
    {"Scheduler", "LeaseSec", KEY_SPAN, AT(scheduler_lease_usec), "15s", 2 * SEC, DAY,
     "after so long without renewal another scheduler takes over"},
    {"Scheduler", "CatchUp", KEY_SWITCH, AT(scheduler_catch_up), "yes", 0, 1,
     "make up for missed runs of a connection by one; no: wait for the next"},
    {"Scheduler", "Jitter", KEY_SWITCH, AT(scheduler_jitter), "no", 0, 1,
     "spread connections of one schedule over some minutes, each always by the same"},
    {"Scheduler", "SchemaAgeSec", KEY_SPAN, AT(schema_age_usec), "1d", 0, 3650 * DAY,
     "a sync discovers its source's streams anew when they were last for so long; 0: never"},
    {"Scheduler", "RetryCompleteSuccessive", KEY_NUMBER, AT(retry_complete_successive), "5", 1,
     1000, "attempts in a row without any progress, after which a job fails"},
    {"Scheduler", "RetryCompleteTotal", KEY_NUMBER, AT(retry_complete_total), "10", 1, 1000,
     "attempts without any progress in all, after which a job fails"},
    {"Scheduler", "RetryPartialSuccessive", KEY_NUMBER, AT(retry_partial_successive), "1000", 1,
     100000, "attempts in a row with some progress, after which a job fails"},
    {"Scheduler", "RetryPartialTotal", KEY_NUMBER, AT(retry_partial_total), "20", 1, 100000,
     "attempts with some progress in all, after which a job fails"},
    {"Scheduler", "RetryBackoffMinSec", KEY_SPAN, AT(retry_backoff_min_usec), "10s", 0, DAY,
     "wait after the first attempt without progress"},
    {"Scheduler", "RetryBackoffMaxSec", KEY_SPAN, AT(retry_backoff_max_usec), "30min", 0, 7 * DAY,
     "longest wait between attempts"},
    {"Scheduler", "RetryBackoffBase", KEY_NUMBER, AT(retry_backoff_base), "3", 1, 10,
     "each wait is so many times the one before"},
    {"Scheduler", "WarnAfterFailures", KEY_NUMBER, AT(warn_after_failures), "20", 0, 100000,
     "warn once when so many jobs of a connection have failed in a row, and"},
    {"Scheduler", "WarnAfterSec", KEY_SPAN, AT(warn_after_usec), "4d", 0, 3650 * DAY,
     "nothing has succeeded for so long; 0 failures: never"},
    {"Scheduler", "DisableAfterFailures", KEY_NUMBER, AT(disable_after_failures), "30", 0, 100000,
     "disable a connection when so many jobs of it have failed in a row, and"},
    {"Scheduler", "DisableAfterSec", KEY_SPAN, AT(disable_after_usec), "7d", 0, 3650 * DAY,
     "nothing has succeeded for so long; 0 failures: never"},
    {"Launcher", "DataPlane", KEY_STRING, AT(launcher_data_plane), "", 0, 0,
     "name of this host among the data planes; empty: the host name"},
    {"Launcher", "Backend", KEY_STRING, AT(launcher_backend), "systemd", 0, 0,
     "where orchestrators run: systemd, in a scope; docker, in a container of the engine of "
     "[Engine]"},
    {"Launcher", "MaxWorkloads", KEY_NUMBER, AT(launcher_max_workloads), "64", 1, 10000,
     "workloads running on this host at once"},
    {"Launcher", "MaxStarts", KEY_NUMBER, AT(launcher_max_starts), "4", 1, 256,
     "sandboxes being set up at the same time"},
    {"Launcher", "PollSec", KEY_SPAN, AT(launcher_poll_usec), "30s", SEC, DAY,
     "how often the queue is looked at when no notification comes"},
    {"Connector", "MemoryMax", KEY_BYTES, AT(connector_memory_max), "2G", 16 << 20, 1024 * GIB,
     "memory of one connector"},
    {"Connector", "TasksMax", KEY_NUMBER, AT(connector_tasks_max), "256", 4, 100000,
     "processes and threads of one connector"},
    {"Connector", "CPUQuota", KEY_NUMBER, AT(connector_cpu_percent), "0", 0, 100000,
     "percent of one CPU for one connector; 0: no limit"},
    {"Connector", "RuntimeMaxSec", KEY_SPAN, AT(connector_time_usec), "0", 0, 365 * DAY,
     "longest sync; 0: no limit"},
    {"Connector", "JobTimeoutSec", KEY_SPAN, AT(connector_job_time_usec), "9min", SEC, DAY,
     "longest spec, check or discover"},
    {"Connector", "PypiIndex", KEY_STRING, AT(connector_pypi_index), "", 0, 0,
     "package index for connectors from PyPI; empty: pip's own setting"},
    {"Engine", "Socket", KEY_STRING, AT(engine_socket), "", 0, 0,
     "socket of the container engine that runs connectors of the runtime docker; empty: "
     "/run/docker.sock or /run/podman/podman.sock, whichever is there"},
    {"Engine", "Network", KEY_STRING, AT(engine_network), "bridge", 0, 0,
     "network of the engine for connectors in containers that may use one; host: that of this "
     "host, "
     "as connectors of other runtimes have it"},
    {"Orchestrator", "CommitSec", KEY_SPAN, AT(orchestrator_commit_usec), "2s", 100000, 600 * SEC,
     "acknowledged states and statistics are stored this often"},
    {"Orchestrator", "MaxLine", KEY_BYTES, AT(orchestrator_max_line), "512M", 65536, 16 * GIB,
     "longest line of a connector; a longer one fails the sync"},
    {"Orchestrator", "DataSockets", KEY_NUMBER, AT(orchestrator_data_sockets), "2", 0, 64,
     "sockets between two connectors that can send records over sockets; 0: always pipes"},
    {"Orchestrator", "SourceSilenceSec", KEY_SPAN, AT(orchestrator_source_silence_usec), "3h", 0,
     30 * DAY,
     "a source that sends nothing but log lines for so long, while it may, has failed; 0: never"},
    {"Orchestrator", "DestinationStallSec", KEY_SPAN, AT(orchestrator_destination_stall_usec), "2h",
     0, 30 * DAY, "a destination that takes nothing for so long has failed; 0: never"},
    {"Orchestrator", "FailOnCountMismatch", KEY_SWITCH, AT(orchestrator_strict_counts), "no", 0, 1,
     "a sync fails when the records that a connector counted are not those that came"},
    {"Orchestrator", "MaxLog", KEY_BYTES, AT(orchestrator_max_log), "1G", 65536, 1024 * GIB,
     "size of one attempt's log; beyond it only warnings and errors are kept"},
    {"Notify", "AllowPrivateWebhooks", KEY_SWITCH, AT(notify_private), "yes", 0, 1,
     "webhooks may go to addresses of this host and of private networks; link-local ones never"},
    {"Notify", "TimeoutSec", KEY_SPAN, AT(notify_timeout_usec), "10s", SEC, 600 * SEC,
     "longest wait for one receiver"},
    {"Notify", "MaxTries", KEY_NUMBER, AT(notify_max_tries), "10", 1, 1000,
     "a notification that has failed so often is given up"},
    {"Notify", "SmtpUrl", KEY_STRING, AT(notify_smtp_url), "", 0, 0,
     "mail server, smtp://HOST:PORT or smtps://HOST:PORT; empty: no mail is sent"},
    {"Notify", "SmtpStartTls", KEY_SWITCH, AT(notify_smtp_start_tls), "yes", 0, 1,
     "smtp:// only with TLS by STARTTLS; no: in the clear if the server does not offer it"},
    {"Notify", "SmtpUser", KEY_STRING, AT(notify_smtp_user), "", 0, 0,
     "name at the mail server; the password is the credential sluice-smtp-password"},
    {"Notify", "SmtpFrom", KEY_STRING, AT(notify_smtp_from), "", 0, 0,
     "sender of mails; empty: sluice@ and the host name"},
    {"Notify", "SmtpTo", KEY_STRING, AT(notify_smtp_to), "", 0, 0,
     "receiver of mails where neither workspace nor organization has an address"},
    {"PostSync", "Units", KEY_STRING, AT(post_sync_units), "", 0, 0,
     "units of this host that connections may start after a run, as globs separated by spaces: "
     "dbt.service, or dbt@.service for one instance for each run; empty: none"},
    {"Retention", "Jobs", KEY_SPAN, AT(retention_jobs_usec), "180d", DAY, 36500 * DAY,
     "finished jobs are kept so long; the last of each connection always"},
    {"Retention", "JobsPerConnection", KEY_NUMBER, AT(retention_jobs_each), "0", 0, 1000000,
     "of each connection at most so many finished jobs are kept; 0: no limit"},
    {"Retention", "Logs", KEY_SPAN, AT(retention_logs_usec), "30d", DAY, 36500 * DAY,
     "job logs are kept so long"},
    {"Retention", "CompressLogs", KEY_SPAN, AT(retention_pack_usec), "1d", 0, 36500 * DAY,
     "job logs are compressed so long after their attempt; 0: never"},
    {"Retention", "Events", KEY_SPAN, AT(retention_events_usec), "540d", DAY, 36500 * DAY,
     "events of timelines are kept so long"},
    {"Retention", "Notifications", KEY_SPAN, AT(retention_notices_usec), "30d", DAY, 36500 * DAY,
     "notifications that were sent or given up are kept so long"},
    {"Registry", "File", KEY_STRING, AT(registry_file), SL_SYSCONFDIR "/registry.json", 0, 0,
     "a connector registry in the shape of the public oss_registry.json; when it is there, Url= is "
     "not asked"},
    {"Registry", "Url", KEY_STRING, AT(registry_url), "", 0, 0,
     "where a registry is fetched once a day; empty: nowhere"},
    {"Registry", "Manifests", KEY_STRING, AT(registry_manifests),
     "https://connectors.airbyte.com/files/metadata/{repository}/{version}/manifest.yaml", 0, 0,
     "where sluicectl gets the manifest of a low-code source of which the registry does not say "
     "it; "
     "empty: nowhere"},
    {"Registry", "Runtimes", KEY_STRING, AT(registry_runtimes), "native pypi manifest oci docker",
     0, 0,
     "how connectors of the registry may be run here, the preferred way first; what this host "
     "cannot do is left out"},
};

static gboolean
parse_bytes(const char *text, gint64 *ret)
{
    static const char suffixes[] = "KMGT";
    gsize digits = strspn(text, "0123456789");
    g_autofree char *number = g_strndup(text, digits);
    guint64 value;
    if (!g_ascii_string_to_unsigned(number, 10, 0, G_MAXINT64, &value, NULL))
        return FALSE;
    gint64 factor = 1;
    if (text[digits] != '\0') {
        const char *suffix = strchr(suffixes, text[digits]);
        if (suffix == NULL || text[digits + 1] != '\0')
            return FALSE;
        factor <<= 10 * (suffix - suffixes + 1);
    }
    return !__builtin_mul_overflow((gint64)value, factor, ret);
}

static gboolean
parse_switch(const char *text, gint64 *ret)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        *ret = (gint64)i % 2;
        if (g_ascii_strcasecmp(text, words[i]) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
parse_number(const Key *key, const char *text, gint64 *ret, GError **error)
{
    gboolean ok = TRUE;
    if (key->kind == KEY_SPAN)
        return sl_time_parse_span(text, ret, error);
    if (key->kind == KEY_BYTES)
        ok = parse_bytes(text, ret);
    else if (key->kind == KEY_SWITCH)
        ok = parse_switch(text, ret);
    else
        ok = g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, ret, NULL);
    if (ok)
        return TRUE;
    return sl_error_set(error, SL_ERROR_CONFIG, "'%s' is not a %s", text,
                        key->kind == KEY_BYTES    ? "size; write for example '512M'"
                        : key->kind == KEY_SWITCH ? "switch; write 'yes' or 'no'"
                                                  : "number");
}

static gboolean
set_key(SlConfig *config, const Key *key, const char *text, GError **error)
{
    if (key->kind == KEY_STRING) {
        char **member = G_STRUCT_MEMBER_P(config, key->offset);
        g_free(*member);
        *member = g_strdup(text);
        return TRUE;
    }
    gint64 value;
    if (!parse_number(key, text, &value, error))
        return FALSE;
    if (value < key->min || value > key->max)
        return sl_error_set(error, SL_ERROR_CONFIG, "'%s' is out of range", text);
    G_STRUCT_MEMBER(gint64, config, key->offset) = value;
    return TRUE;
}

static const Key *
find_key(const char *section, const char *name, gboolean *ret_section_known)
{
    *ret_section_known = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(keys[i].section, section) != 0)
            continue;
        *ret_section_known = TRUE;
        if (name != NULL && strcmp(keys[i].key, name) == 0)
            return &keys[i];
    }
    return NULL;
}

/* The names of sections (NULL section) or of a section's keys. */
static const char **
list_names(const char *section)
{
    GPtrArray *names = g_ptr_array_new();
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        if (section == NULL || strcmp(keys[i].section, section) == 0)
            g_ptr_array_add(names, (gpointer)(section == NULL ? keys[i].section : keys[i].key));
    g_ptr_array_add(names, NULL);
    return (const char **)g_ptr_array_free(names, FALSE);
}

static gboolean
refuse_section(const char *section, GError **error)
{
    g_autofree const char **names = list_names(NULL);
    const char *nearest = sl_word_nearest(section, names);
    if (nearest != NULL)
        return sl_error_set(error, SL_ERROR_CONFIG, "unknown section '[%s]'; did you mean '[%s]'?",
                            section, nearest);
    return sl_error_set(error, SL_ERROR_CONFIG, "unknown section '[%s]'", section);
}

static gboolean
refuse_key(const char *section, const char *name, GError **error)
{
    g_autofree const char **names = list_names(section);
    const char *nearest = sl_word_nearest(name, names);
    g_autoptr(GString) others = g_string_new(NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        if (strcmp(keys[i].key, name) == 0)
            g_string_append_printf(others, "%s[%s]", others->len > 0 ? " or " : "",
                                   keys[i].section);
    if (others->len > 0)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "unknown key '%s' in section [%s]; it belongs to %s", name, section,
                            others->str);
    if (nearest != NULL)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "unknown key '%s' in section [%s]; did you mean '%s'?", name, section,
                            nearest);
    return sl_error_set(error, SL_ERROR_CONFIG, "unknown key '%s' in section [%s]", name, section);
}

static gboolean
parse_section(char *line, char **section, GError **error)
{
    gsize len = strlen(line);
    gboolean known = FALSE;
    if (line[len - 1] != ']')
        return sl_error_set(error, SL_ERROR_CONFIG, "section without ']'");
    line[len - 1] = '\0';
    find_key(line + 1, NULL, &known);
    if (!known)
        return refuse_section(line + 1, error);
    g_free(*section);
    *section = g_strdup(line + 1);
    return TRUE;
}

static gboolean
parse_line(SlConfig *config, char *line, char **section, GError **error)
{
    g_strstrip(line);
    if (*line == '\0' || *line == '#' || *line == ';')
        return TRUE;
    if (*line == '[')
        return parse_section(line, section, error);
    if (*section == NULL)
        return sl_error_set(error, SL_ERROR_CONFIG, "'%s' stands before the first section", line);
    char *value = strchr(line, '=');
    if (value == NULL)
        return sl_error_set(error, SL_ERROR_CONFIG, "'%s' is no 'Key=value'", line);
    *value++ = '\0';
    g_strchomp(line);
    g_strchug(value);
    gboolean known;
    const Key *key = find_key(*section, line, &known);
    if (key == NULL)
        return refuse_key(*section, line, error);
    if (!set_key(config, key, value, error)) {
        g_prefix_error(error, "%s=: ", line);
        return FALSE;
    }
    return TRUE;
}

/* What no single key can tell. */
static gboolean
check_together(const SlConfig *config, GError **error)
{
    if (config->workload_heartbeat_usec * 3 > config->workload_lease_usec)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "[Workload] HeartbeatSec= must be at most a third of LeaseSec=, or "
                            "one lost beat ends a healthy sync");
    if (config->retry_backoff_min_usec > config->retry_backoff_max_usec)
        return sl_error_set(error, SL_ERROR_CONFIG,
                            "[Scheduler] RetryBackoffMinSec= is above RetryBackoffMaxSec=");
    return TRUE;
}

gboolean
sl_config_parse(SlConfig *config, const char *name, const char *text, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *section = NULL;
    for (guint i = 0; lines[i] != NULL; i++) {
        GError *reason = NULL;
        if (!parse_line(config, lines[i], &section, &reason)) {
            sl_error_set(error, SL_ERROR_CONFIG, "%s:%u: %s", name, i + 1, reason->message);
            g_error_free(reason);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean
parse_file(SlConfig *config, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) reason = NULL;
    if (g_file_get_contents(path, &text, NULL, &reason))
        return sl_config_parse(config, path, text, error);
    if (g_error_matches(reason, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        return TRUE;
    return sl_error_set(error, SL_ERROR_CONFIG, "%s", reason->message);
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gboolean
parse_drop_ins(SlConfig *config, const char *path, GError **error)
{
    g_autofree char *folder = g_strconcat(path, ".d", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, ".conf"))
            g_ptr_array_add(files, g_build_filename(folder, name, NULL));
    g_ptr_array_sort(files, compare_names);
    for (guint i = 0; i < files->len; i++)
        if (!parse_file(config, files->pdata[i], error))
            return FALSE;
    return TRUE;
}

SlConfig *
sl_config_new(void)
{
    SlConfig *config = g_new0(SlConfig, 1);
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autoptr(GError) error = NULL;
        if (!set_key(config, &keys[i], keys[i].fallback, &error))
            g_critical("default of %s=: %s", keys[i].key, error->message);
    }
    return config;
}

SlConfig *
sl_config_load(const char *path, GError **error)
{
    g_autoptr(SlConfig) config = sl_config_new();
    if (path == NULL)
        path = g_getenv("SLUICE_CONF");
    if (path == NULL)
        path = DEFAULT_PATH;
    if (!parse_file(config, path, error) || !parse_drop_ins(config, path, error) ||
        !check_together(config, error))
        return NULL;
    return g_steal_pointer(&config);
}

char *
sl_config_describe(void)
{
    GString *out = g_string_new(NULL);
    const char *section = "";
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strcmp(section, keys[i].section) != 0) {
            section = keys[i].section;
            g_string_append_printf(out, "%s[%s]\n", i > 0 ? "\n" : "", section);
        }
        g_string_append_printf(out, "# %s\n#%s=%s\n", keys[i].meaning, keys[i].key,
                               keys[i].fallback);
    }
    return g_string_free(out, FALSE);
}

/* --- what a connection may have of its own -----------------------------------------------------
 */

static const char *const own_keys[] = {
    "CatchUp",
    "RetryCompleteSuccessive",
    "RetryCompleteTotal",
    "RetryPartialSuccessive",
    "RetryPartialTotal",
    "RetryBackoffMinSec",
    "RetryBackoffMaxSec",
    "RetryBackoffBase",
    "WarnAfterFailures",
    "WarnAfterSec",
    "DisableAfterFailures",
    "DisableAfterSec",
    NULL,
};

const char *const *
sl_config_own_keys(void)
{
    return own_keys;
}

SlConfig *
sl_config_copy(const SlConfig *config)
{
    SlConfig *copy = g_memdup2(config, sizeof *config);
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        if (keys[i].kind == KEY_STRING) {
            char **member = G_STRUCT_MEMBER_P(copy, keys[i].offset);
            *member = g_strdup(*member);
        }
    return copy;
}

static const Key *
find_own(const char *name, GError **error)
{
    gboolean known;
    const Key *key = g_strv_contains(own_keys, name) ? find_key("Scheduler", name, &known) : NULL;
    if (key != NULL)
        return key;
    const char *nearest = sl_word_nearest(name, own_keys);
    if (nearest != NULL)
        sl_error_set(error, SL_ERROR_INVALID, "%s: no property of a connection; did you mean '%s'?",
                     name, nearest);
    else
        sl_error_set(error, SL_ERROR_INVALID, "%s: no property of a connection", name);
    return NULL;
}

gboolean
sl_config_set_own(SlConfig *config, const char *name, const char *value, GError **error)
{
    g_autoptr(GError) reason = NULL;
    const Key *key = find_own(name, error);
    return key != NULL && (set_key(config, key, value, &reason) ||
                           sl_error_set(error, SL_ERROR_INVALID, "%s: %s", name, reason->message));
}

/* In the largest unit that it is a multiple of. */
static char *
print_span(gint64 usec)
{
    static const struct {
        const char *name;
        gint64 usec;
    } units[] = {{"d", DAY}, {"h", 3600 * SEC}, {"min", 60 * SEC}, {"s", SEC}, {"ms", SEC / 1000}};
    if (usec == 0)
        return g_strdup("0s");
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
        if (usec % units[i].usec == 0)
            return g_strdup_printf("%" G_GINT64_FORMAT "%s", usec / units[i].usec, units[i].name);
    return g_strdup_printf("%" G_GINT64_FORMAT "us", usec);
}

char *
sl_config_get_own(const SlConfig *config, const char *name)
{
    const Key *key = find_own(name, NULL);
    if (key == NULL)
        return NULL;
    gint64 value = G_STRUCT_MEMBER(gint64, config, key->offset);
    if (key->kind == KEY_SWITCH)
        return g_strdup(value != 0 ? "yes" : "no");
    return key->kind == KEY_SPAN ? print_span(value) : g_strdup_printf("%" G_GINT64_FORMAT, value);
}

gboolean
sl_config_check_own(const SlConfig *config, GError **error)
{
    g_autoptr(GError) reason = NULL;
    return check_together(config, &reason) ||
           sl_error_set(error, SL_ERROR_INVALID, "%s", reason->message);
}

void
sl_config_free(SlConfig *config)
{
    if (config == NULL)
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
        if (keys[i].kind == KEY_STRING)
            g_free(G_STRUCT_MEMBER(char *, config, keys[i].offset));
    g_free(config);
}
