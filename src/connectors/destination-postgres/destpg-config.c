/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-config.h"

#include <string.h>

#include "sl-error.h"

#define DEFAULT_PORT 5432
#define DEFAULT_TIMEOUT_SEC 30

/* What of the JDBC driver's parameters libpq knows under some name. A driver's own tuning is
 * skipped in silence: it has no meaning here and does no harm. */
static const struct {
    const char *jdbc;
    const char *libpq; /* NULL: nothing to do */
} jdbc_params[] = {
    {"ApplicationName", "application_name"},
    {"application_name", "application_name"},
    {"options", "options"},
    {"channelBinding", "channel_binding"},
    {"gssEncMode", "gssencmode"},
    {"krbsrvname", "krbsrvname"},
    {"kerberosServerName", "krbsrvname"},
    {"targetServerType", "target_session_attrs"},
    {"tcpKeepAlive", "keepalives"},
    {"requireAuth", NULL},
    {"prepareThreshold", NULL},
    {"preparedStatementCacheQueries", NULL},
    {"preparedStatementCacheSizeMiB", NULL},
    {"preferQueryMode", NULL},
    {"reWriteBatchedInserts", NULL},
    {"defaultRowFetchSize", NULL},
    {"adaptiveFetch", NULL},
    {"binaryTransfer", NULL},
    {"stringtype", NULL},
    {"loggerLevel", NULL},
    {"assumeMinServerVersion", NULL},
    {"socketTimeout", NULL},
    {"cancelSignalTimeout", NULL},
    {"logUnclosedConnections", NULL},
    {"autosave", NULL},
    {"cleanupSavepoints", NULL},
    /* Set by properties of their own, which win. */
    {"currentSchema", NULL},
    {"user", NULL},
    {"password", NULL},
    {"ssl", NULL},
    {"sslmode", NULL},
};

static const struct {
    const char *jdbc, *libpq;
} server_types[] = {
    {"any", "any"},
    {"primary", "primary"},
    {"master", "primary"},
    {"secondary", "standby"},
    {"slave", "standby"},
    {"preferSecondary", "prefer-standby"},
    {"preferSlave", "prefer-standby"},
};

static void
param_clear(gpointer data)
{
    g_free(((DestpgParam *)data)->value);
}

static void
add_param(DestpgConfig *c, const char *name, const char *value)
{
    DestpgParam param = {name, g_strdup(value)};
    g_array_append_val(c->params, param);
}

static gboolean
add_jdbc_param(DestpgConfig *c, const char *name, const char *value, GError **error)
{
    if (g_str_equal(name, "connectTimeout") || g_str_equal(name, "loginTimeout")) {
        guint64 seconds;
        if (!g_ascii_string_to_unsigned(value, 10, 0, 3600, &seconds, NULL))
            return sl_error_set(error, SL_ERROR_INVALID,
                                "configuration.jdbc_url_params: %s must be a number of seconds, at "
                                "most 3600",
                                name);
        if (seconds > 0)
            c->connect_timeout_usec = (gint64)seconds * G_USEC_PER_SEC;
        return TRUE;
    }
    for (guint i = 0; i < G_N_ELEMENTS(jdbc_params); i++) {
        if (!g_str_equal(name, jdbc_params[i].jdbc))
            continue;
        const char *libpq = jdbc_params[i].libpq;
        if (g_strcmp0(libpq, "keepalives") == 0) {
            value = g_str_equal(value, "false") ? "0" : "1";
        } else if (g_strcmp0(libpq, "target_session_attrs") == 0) {
            const char *mapped = NULL;
            for (guint k = 0; k < G_N_ELEMENTS(server_types); k++)
                if (g_str_equal(value, server_types[k].jdbc))
                    mapped = server_types[k].libpq;
            if (mapped == NULL)
                return sl_error_set(
                    error, SL_ERROR_INVALID,
                    "configuration.jdbc_url_params: targetServerType must be one of any, "
                    "primary, secondary, preferSecondary");
            value = mapped;
        }
        if (libpq != NULL)
            add_param(c, libpq, value);
        return TRUE;
    }
    g_ptr_array_add(c->ignored, g_strdup(name));
    return TRUE;
}

static gboolean
read_jdbc_params(DestpgConfig *c, const KitConfig *config, GError **error)
{
    g_autofree char *text = kit_config_dup_string(config, "jdbc_url_params", NULL);
    if (text == NULL || *g_strstrip(text) == '\0')
        return TRUE;
    g_auto(GStrv) pairs = g_strsplit(*text == '?' ? text + 1 : text, "&", -1);
    for (guint i = 0; pairs[i] != NULL; i++) {
        if (*pairs[i] == '\0')
            continue;
        char *equals = strchr(pairs[i], '=');
        if (equals == NULL)
            return sl_error_set(error, SL_ERROR_INVALID,
                                "configuration.jdbc_url_params: item %u is not NAME=VALUE", i + 1);
        *equals = '\0';
        g_autofree char *value = g_uri_unescape_string(equals + 1, NULL);
        if (value == NULL)
            return sl_error_set(error, SL_ERROR_INVALID,
                                "configuration.jdbc_url_params: the value of '%s' is not "
                                "percent-encoded text",
                                pairs[i]);
        if (!add_jdbc_param(c, pairs[i], value, error))
            return FALSE;
    }
    return TRUE;
}

/* A PEM text. Forms and environment files turn its line ends into "\n". */
static char *
dup_pem(const KitConfig *config, const char *name)
{
    g_autofree char *text = kit_config_dup_string(config, "ssl_mode", name, NULL);
    if (text == NULL || *g_strstrip(text) == '\0')
        return NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\\n", -1);
    g_autofree char *joined = g_strjoinv("\n", lines);
    return g_strconcat(joined, "\n", NULL);
}

/* What ssl_mode says always holds; `ssl` only speaks where ssl_mode is silent or lax. */
static gboolean
read_tls(DestpgConfig *c, const KitConfig *config, GError **error)
{
    g_autofree char *mode = kit_config_dup_string(config, "ssl_mode", "mode", NULL);
    gboolean given = kit_config_get(config, "ssl", NULL) != NULL;
    gboolean ssl = kit_config_get_boolean(config, "ssl", NULL);
    static const char *const lax[] = {"disable", "allow", "prefer", NULL};
    if (given && !ssl) {
        if (mode != NULL && !g_strv_contains(lax, mode))
            return sl_error_set(error, SL_ERROR_INVALID,
                                "configuration.ssl: false contradicts ssl_mode '%s'; remove one of "
                                "the two",
                                mode);
        add_param(c, "sslmode", "disable");
        return TRUE;
    }
    add_param(c, "sslmode", mode != NULL ? mode : ssl ? "require" : "prefer");
    if (mode == NULL || g_strv_contains(lax, mode) || g_str_equal(mode, "require"))
        return TRUE;
    c->ca = dup_pem(config, "ca_certificate");
    c->cert = dup_pem(config, "client_certificate");
    c->key = dup_pem(config, "client_key");
    if (c->ca == NULL)
        return sl_error_set(error, SL_ERROR_INVALID,
                            "configuration.ssl_mode.ca_certificate: needed for mode '%s'", mode);
    if ((c->cert == NULL) != (c->key == NULL))
        return sl_error_set(error, SL_ERROR_INVALID,
                            "configuration.ssl_mode.%s: missing; client_certificate and client_key "
                            "belong together",
                            c->cert == NULL ? "client_certificate" : "client_key");
    g_autofree char *password =
        kit_config_dup_string(config, "ssl_mode", "client_key_password", NULL);
    if (password != NULL && *password != '\0')
        add_param(c, "sslpassword", password);
    return TRUE;
}

static gboolean
read_tunnel(const KitConfig *config, GError **error)
{
    g_autofree char *method = kit_config_dup_string(config, "tunnel_method", "tunnel_method", NULL);
    if (method == NULL || g_str_equal(method, "NO_TUNNEL"))
        return TRUE;
    return sl_error_set(error, SL_ERROR_INVALID,
                        "configuration.tunnel_method: SSH tunnels (%s) are not supported yet; use "
                        "NO_TUNNEL and open the tunnel outside of Sluice",
                        method);
}

static gboolean
need_text(const char *name, const char *value, GError **error)
{
    if (value != NULL && *value != '\0')
        return TRUE;
    return sl_error_set(error, SL_ERROR_INVALID, "configuration.%s: must not be empty", name);
}

static gboolean
read_all(DestpgConfig *c, const KitConfig *config, GError **error)
{
    c->host = kit_config_dup_string(config, "host", NULL);
    c->database = kit_config_dup_string(config, "database", NULL);
    c->schema = kit_config_dup_string(config, "schema", NULL);
    c->username = kit_config_dup_string(config, "username", NULL);
    c->raw_schema = kit_config_dup_string(config, "raw_data_schema", NULL);
    c->port = kit_config_get_int(config, "port", NULL);
    if (c->port == 0)
        c->port = DEFAULT_PORT;
    c->connect_timeout_usec = DEFAULT_TIMEOUT_SEC * G_USEC_PER_SEC;
    g_autofree char *deletion = kit_config_dup_string(config, "cdc_deletion_mode", NULL);
    c->hard_delete = g_strcmp0(deletion, "Soft delete") != 0;
    c->raw_only = kit_config_get_boolean(config, "disable_type_dedupe", NULL);
    c->drop_cascade = kit_config_get_boolean(config, "drop_cascade", NULL);
    if (c->raw_schema == NULL || *c->raw_schema == '\0') {
        g_free(c->raw_schema);
        c->raw_schema = g_strdup("airbyte_internal");
    }
    if (!need_text("host", c->host, error) || !need_text("database", c->database, error) ||
        !need_text("schema", c->schema, error) || !need_text("username", c->username, error))
        return FALSE;
    g_autofree char *password = kit_config_dup_string(config, "password", NULL);
    if (password != NULL && *password != '\0')
        add_param(c, "password", password);
    return read_tunnel(config, error) && read_jdbc_params(c, config, error) &&
           read_tls(c, config, error);
}

DestpgConfig *
destpg_config_new(const KitConfig *config, GError **error)
{
    g_autoptr(DestpgConfig) c = g_new0(DestpgConfig, 1);
    c->params = g_array_new(FALSE, FALSE, sizeof(DestpgParam));
    g_array_set_clear_func(c->params, param_clear);
    c->ignored = g_ptr_array_new_with_free_func(g_free);
    return read_all(c, config, error) ? g_steal_pointer(&c) : NULL;
}

void
destpg_config_free(DestpgConfig *c)
{
    if (c == NULL)
        return;
    g_free(c->host);
    g_free(c->database);
    g_free(c->schema);
    g_free(c->username);
    g_array_unref(c->params);
    g_free(c->ca);
    g_free(c->cert);
    g_free(c->key);
    g_free(c->raw_schema);
    g_ptr_array_unref(c->ignored);
    g_free(c);
}
