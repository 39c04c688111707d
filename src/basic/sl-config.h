/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* sluice.conf(5): the settings of a host, in systemd's syntax ("[Section]", "Key=value", "#" and
 * ";" comments). Later files win: sluice.conf, then sluice.conf.d/NAME.conf in byte order. An
 * unknown section or key and a bad value are errors with file, line and reason: a typing mistake
 * must not become a silent default. */
typedef struct {
    /* [Database] */
    char *database_url;           /* libpq URI or keywords; "" = the private cluster */
    gint64 database_pool_size;    /* connections of one process */
    gint64 database_timeout_usec; /* statement_timeout of ordinary statements */
    gint64 database_dumps;        /* kept of the database before upgrades; 0: none taken */

    /* [Server] */
    char *server_public_url; /* as clients see us; used in next/previous links and token issuer */
    char *server_web_folder; /* the page's files */
    gint64 server_idle_usec; /* exit after this long without a request */
    gint64 server_max_connections;
    gint64 server_max_body; /* bytes of one request body */
    gint64 server_threads;
    gint64 server_token_usec;         /* life of an application's access token */
    gint64 server_session_token_usec; /* life of a browser's access token */
    gint64 server_session_usec;       /* life of a login */
    gint64 server_setup_link_usec;    /* life of a setup link */

    /* [Workload] */
    gint64 workload_claim_usec;     /* pending → claimed, else failed */
    gint64 workload_lease_usec;     /* a holder that is silent for so long has lost it */
    gint64 workload_heartbeat_usec; /* interval of the holder's beats */

    /* [Scheduler] */
    gint64 scheduler_lease_usec;                 /* leader lease */
    gint64 scheduler_catch_up, scheduler_jitter; /* 1 or 0 */
    gint64 schema_age_usec; /* of a discovered catalog before it is asked for again; 0: never */
    gint64 retry_complete_successive, retry_complete_total;
    gint64 retry_partial_successive, retry_partial_total;
    gint64 retry_backoff_min_usec, retry_backoff_max_usec;
    gint64 retry_backoff_base;
    gint64 warn_after_failures, warn_after_usec;
    gint64 disable_after_failures, disable_after_usec;

    /* [Launcher] */
    char *launcher_data_plane; /* name of this data plane; "" = the host name */
    char *launcher_backend;    /* "systemd" or "docker": where orchestrators run */
    gint64 launcher_max_workloads;
    gint64 launcher_max_starts; /* sandboxes being set up at the same time */
    gint64 launcher_poll_usec;  /* safety net behind NOTIFY */

    /* [Connector]: defaults of the limits, where definition and connection say nothing */
    gint64 connector_memory_max, connector_tasks_max;
    gint64 connector_cpu_percent;   /* of one CPU; 0 = no limit */
    gint64 connector_time_usec;     /* 0 = no limit */
    gint64 connector_job_time_usec; /* of spec, check and discover */
    char *engine_socket;            /* "" = whichever is there */
    char *engine_network;
    char *connector_pypi_index; /* "" = pip's own default */

    /* [Orchestrator] */
    gint64 orchestrator_commit_usec;  /* acknowledged states are persisted this often */
    gint64 orchestrator_max_line;     /* bytes; a longer line fails the sync */
    gint64 orchestrator_data_sockets; /* of a data channel; 0: never one */
    gint64 orchestrator_strict_counts;
    gint64 orchestrator_source_silence_usec;
    gint64 orchestrator_destination_stall_usec;
    gint64 orchestrator_max_log; /* bytes of one attempt's log */

    /* [Notify] */
    gint64 notify_private; /* 1 or 0: webhooks to loopback and private addresses */
    gint64 notify_timeout_usec, notify_max_tries;
    char *notify_smtp_url; /* "" = no mail */
    gint64 notify_smtp_start_tls;
    char *notify_smtp_user, *notify_smtp_from, *notify_smtp_to;

    /* [PostSync] */
    char *post_sync_units; /* globs, separated by spaces; "" = none */

    /* [Retention] */
    gint64 retention_jobs_usec, retention_logs_usec;
    gint64 retention_events_usec, retention_notices_usec;
    gint64 retention_pack_usec; /* age of logs that are compressed; 0: never */
    gint64 retention_jobs_each; /* finished jobs of one connection; 0: no limit */

    /* [Registry] */
    char *registry_file, *registry_url; /* "" = none */
    char *registry_manifests;           /* an address with {repository} and {version} */
    char *registry_runtimes;            /* names, the preferred one first */
} SlConfig;

/* The defaults. */
SlConfig *sl_config_new(void);

/* Defaults, then `path` (missing is fine), then `path`.d/NAME.conf. NULL path: the installed
 * sluice.conf, or $SLUICE_CONF. Error: SL_ERROR_CONFIG "FILE:LINE: reason". */
SlConfig *sl_config_load(const char *path, GError **error);

/* Reads one file's text over `config`. `name` stands in errors. */
gboolean sl_config_parse(SlConfig *config, const char *name, const char *text, GError **error);

/* Every key with its default and meaning, as a commented file: what is shipped as sluice.conf and
 * what the man page is made from. */
char *sl_config_describe(void);

/* A connection may have some keys of [Scheduler] of its own: their names, ended by NULL. */
const char *const *sl_config_own_keys(void);
SlConfig *sl_config_copy(const SlConfig *config);
/* One of them, written as in sluice.conf. SL_ERROR_INVALID names it. */
gboolean sl_config_set_own(SlConfig *config, const char *name, const char *value, GError **error);
/* As one would write it; NULL for any other key. */
char *sl_config_get_own(const SlConfig *config, const char *name);
/* Do they fit together? */
gboolean sl_config_check_own(const SlConfig *config, GError **error);

void sl_config_free(SlConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlConfig, sl_config_free)
