/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-remote.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sl-error.h"
#include "sl-http-client.h"
#include "sl-json-write.h"

#define TOKEN_PATH "/api/public/v1/applications/token"
#define TOKEN_USEC (30 * (gint64)G_USEC_PER_SEC)

struct CtlRemote {
    char *url;
    char *client_id, *client_secret; /* NULL: nothing is stored */
    char *token;                     /* NULL: not fetched yet */
    gboolean given;                  /* the token is $SLUICE_TOKEN: it cannot be renewed */
    SlHttpClient *http;
};

/* --- addresses and what is stored about them ---------------------------------------------------
 */

static gboolean
is_this_host(const char *host)
{
    g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);
    return g_ascii_strcasecmp(host, "localhost") == 0 ||
           (address != NULL && g_inet_address_get_is_loopback(address));
}

char *
ctl_remote_parse_url(const char *text, GError **error)
{
    g_autofree char *whole =
        strstr(text, "://") != NULL ? g_strdup(text) : g_strconcat("https://", text, NULL);
    g_autoptr(GUri) uri = g_uri_parse(whole, G_URI_FLAGS_NONE, NULL);
    const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;
    if (host == NULL || *host == '\0' || g_uri_get_userinfo(uri) != NULL ||
        (strcmp(g_uri_get_path(uri), "") != 0 && strcmp(g_uri_get_path(uri), "/") != 0)) {
        sl_error_set(error, SL_ERROR_INVALID,
                     _("'%s' is no address of a host; expected https://HOST[:PORT]"), text);
        return NULL;
    }
    gboolean plain = strcmp(g_uri_get_scheme(uri), "http") == 0;
    if (!plain && strcmp(g_uri_get_scheme(uri), "https") != 0) {
        sl_error_set(error, SL_ERROR_INVALID, _("'%s': only https is spoken"), text);
        return NULL;
    }
    if (plain && !is_this_host(host)) {
        sl_error_set(error, SL_ERROR_INVALID,
                     _("'%s': a token would travel in clear; use https://%s"), text, host);
        return NULL;
    }
    const char *open = strchr(host, ':') != NULL ? "[" : "", *close = *open != '\0' ? "]" : "";
    const char *scheme = plain ? "http" : "https";
    return g_uri_get_port(uri) > 0
               ? g_strdup_printf("%s://%s%s%s:%d", scheme, open, host, close, g_uri_get_port(uri))
               : g_strdup_printf("%s://%s%s%s", scheme, open, host, close);
}

char *
ctl_remote_hosts_path(void)
{
    return g_build_filename(g_get_user_config_dir(), "sluice", "hosts.conf", NULL);
}

/* A missing file is an empty one. One that others may read has no secrets any more. */
static GKeyFile *
load_hosts(GError **error)
{
    g_autofree char *path = ctl_remote_hosts_path();
    g_autoptr(GKeyFile) hosts = g_key_file_new();
    g_autoptr(GError) why = NULL;
    struct stat st;
    if (stat(path, &st) == 0 && (st.st_mode & 077) != 0) {
        sl_error_set(error, SL_ERROR_CONFIG,
                     _("'%s' can be read by others: chmod 600 it, and give its applications new "
                       "secrets"),
                     path);
        return NULL;
    }
    if (!g_key_file_load_from_file(hosts, path, G_KEY_FILE_KEEP_COMMENTS, &why) &&
        !g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        sl_error_set(error, SL_ERROR_CONFIG, "%s: %s", path, why->message);
        return NULL;
    }
    return g_steal_pointer(&hosts);
}

static gboolean
save_hosts(GKeyFile *hosts, GError **error)
{
    g_autofree char *path = ctl_remote_hosts_path();
    g_autofree char *folder = g_path_get_dirname(path);
    gsize len;
    g_autofree char *text = g_key_file_to_data(hosts, &len, NULL);
    g_autoptr(GError) why = NULL;
    if (g_mkdir_with_parents(folder, 0700) != 0)
        return sl_error_set_errno(error, errno, _("cannot make '%s'"), folder);
    return g_file_set_contents_full(path, text, (gssize)len, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                    &why) ||
           sl_error_set(error, SL_ERROR_FAILED, _("cannot write '%s': %s"), path, why->message);
}

gboolean
ctl_remote_logout(const char *url, GError **error)
{
    g_autoptr(GKeyFile) hosts = load_hosts(error);
    return hosts != NULL && g_key_file_remove_group(hosts, url, NULL) && save_hosts(hosts, error);
}

/* --- requests ----------------------------------------------------------------------------------
 */

CtlRemote *
ctl_remote_new(const char *url)
{
    CtlRemote *remote = g_new0(CtlRemote, 1);
    const char *given = g_getenv("SLUICE_TOKEN");
    remote->url = g_strdup(url);
    remote->given = given != NULL && *given != '\0';
    remote->token = remote->given ? g_strdup(given) : NULL;
    remote->http = sl_http_client_new("sluicectl/" PACKAGE_VERSION);
    return remote;
}

void
ctl_remote_free(CtlRemote *remote)
{
    if (remote == NULL)
        return;
    sl_http_client_free(remote->http);
    g_free(remote->url);
    g_free(remote->client_id);
    g_free(remote->client_secret);
    g_free(remote->token);
    g_free(remote);
}

static SlHttpUnixReply *
send(CtlRemote *remote, const char *method, const char *path, const char *body,
     const char *authorization, gint64 timeout_usec, GError **error)
{
    const char *const headers[] = {"Authorization", authorization, NULL};
    g_autofree char *url = g_strconcat(remote->url, path, NULL);
    SlHttpUnixReply *reply = NULL;
    if (!sl_http_client_request(remote->http, method, url, authorization != NULL ? headers : NULL,
                                body, timeout_usec, NULL, &reply, error))
        g_prefix_error(error, _("cannot reach Sluice at %s: "), remote->url);
    return reply;
}

/* --- tokens ------------------------------------------------------------------------------------
 */

static gboolean
take_token(CtlRemote *remote, const SlHttpUnixReply *reply, GError **error)
{
    gsize len;
    const char *text = g_bytes_get_data(reply->body, &len);
    if (reply->status == 400 || reply->status == 401 || reply->status == 403)
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED,
                            _("%s does not accept this application and its secret"), remote->url);
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, NULL);
    const SlJsonNode *token =
        doc != NULL ? sl_json_get(doc, sl_json_root(doc), "access_token") : NULL;
    char *value = token != NULL ? sl_json_dup_string(token) : NULL;
    if (reply->status != 200 || value == NULL)
        return sl_error_set(error, SL_ERROR_PROTOCOL,
                            _("%s gave no token (status %u): is that Sluice?"), remote->url,
                            reply->status);
    g_free(remote->token);
    remote->token = value;
    return TRUE;
}

static gboolean
fetch_token(CtlRemote *remote, GError **error)
{
    g_autoptr(GString) body = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(body);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "client_id", remote->client_id);
    sl_json_member_string(&w, "client_secret", remote->client_secret);
    sl_json_member_string(&w, "grant_type", "client_credentials");
    sl_json_end_object(&w);
    g_autoptr(SlHttpUnixReply) reply =
        send(remote, "POST", TOKEN_PATH, body->str, NULL, TOKEN_USEC, error);
    return reply != NULL && take_token(remote, reply, error);
}

static gboolean
need_token(CtlRemote *remote, GError **error)
{
    if (remote->token != NULL)
        return TRUE;
    if (remote->client_id == NULL) {
        g_autoptr(GKeyFile) hosts = load_hosts(error);
        if (hosts == NULL)
            return FALSE;
        remote->client_id = g_key_file_get_string(hosts, remote->url, "ClientId", NULL);
        remote->client_secret = g_key_file_get_string(hosts, remote->url, "ClientSecret", NULL);
    }
    if (remote->client_id == NULL || remote->client_secret == NULL)
        return sl_error_set(error, SL_ERROR_UNAUTHENTICATED,
                            _("no application is known for %s: 'sluicectl login %s', or set "
                              "SLUICE_TOKEN"),
                            remote->url, remote->url);
    return fetch_token(remote, error);
}

SlHttpUnixReply *
ctl_remote_request(CtlRemote *remote, const char *method, const char *path, const char *body,
                   gint64 timeout_usec, GError **error)
{
    gboolean fresh = remote->token == NULL;
    if (!need_token(remote, error))
        return NULL;
    for (;;) {
        g_autofree char *authorization = g_strconcat("Bearer ", remote->token, NULL);
        g_autoptr(SlHttpUnixReply) reply =
            send(remote, method, path, body, authorization, timeout_usec, error);
        /* A token of a long run has ended meanwhile: a new one, once. */
        if (reply == NULL || reply->status != 401 || fresh || remote->given)
            return g_steal_pointer(&reply);
        fresh = TRUE;
        if (!fetch_token(remote, error))
            return NULL;
    }
}

gboolean
ctl_remote_login(CtlRemote *remote, const char *client_id, const char *client_secret,
                 GError **error)
{
    g_autoptr(GKeyFile) hosts = load_hosts(error);
    if (hosts == NULL)
        return FALSE;
    g_free(remote->client_id);
    g_free(remote->client_secret);
    remote->client_id = g_strdup(client_id);
    remote->client_secret = g_strdup(client_secret);
    if (!fetch_token(remote, error))
        return FALSE;
    g_key_file_set_string(hosts, remote->url, "ClientId", client_id);
    g_key_file_set_string(hosts, remote->url, "ClientSecret", client_secret);
    return save_hosts(hosts, error);
}
