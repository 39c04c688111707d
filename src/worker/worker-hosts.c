/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "worker-hosts.h"

#include <string.h>

#include "sl-address.h"
#include "sl-json-read.h"

typedef enum { VALUE_MISSING, VALUE_TEXT, VALUE_UNKNOWN } ValueKind;

/* "tunnel_method.tunnel_host" in the configuration. */
static ValueKind
find_value(const SlJsonDoc *doc, const char *path, char **ret)
{
    g_auto(GStrv) keys = g_strsplit(path, ".", -1);
    const SlJsonNode *node = sl_json_root(doc);
    for (guint i = 0; keys[i] != NULL && node != NULL; i++)
        node = sl_json_get(doc, node, keys[i]);
    if (node == NULL || node->type == SL_JSON_NULL)
        return VALUE_MISSING;
    *ret = sl_json_dup_string(node); /* a secret is an object here */
    return *ret != NULL ? VALUE_TEXT : VALUE_UNKNOWN;
}

/* *ret NULL and TRUE: the configuration does not have it. */
static gboolean
fill(const char *pattern, const SlJsonDoc *doc, char **ret)
{
    const char *end = strchr(pattern, '}');
    *ret = NULL;
    if (!g_str_has_prefix(pattern, "${")) {
        *ret = g_strdup(pattern);
        return strchr(pattern, '$') == NULL;
    }
    if (end == NULL || end[1] != '\0' || doc == NULL)
        return FALSE;
    g_autofree char *path = g_strndup(pattern + 2, (gsize)(end - pattern) - 2);
    return find_value(doc, path, ret) != VALUE_UNKNOWN;
}

/* "https://10.0.0.5:8443/x", "10.0.0.5:5432", "[::1]:80": what is connected to. */
static char *
host_of(const char *text)
{
    const char *scheme = strstr(text, "://");
    const char *begin = scheme != NULL ? scheme + strlen("://") : text;
    g_autofree char *authority =
        scheme != NULL ? g_strndup(begin, strcspn(begin, "/?#")) : g_strdup(begin);
    const char *at = strrchr(authority, '@');
    const char *host = at != NULL ? at + 1 : authority;
    if (*host == '[')
        return g_strndup(host + 1, strcspn(host + 1, "]"));
    const char *colon = strchr(host, ':');
    if (colon != NULL && strchr(colon + 1, ':') == NULL)
        return g_strndup(host, (gsize)(colon - host));
    return g_strdup(host);
}

char **
worker_hosts_resolve(char *const *allowed, const char *configuration)
{
    g_autoptr(GStrvBuilder) addresses = g_strv_builder_new();
    g_autoptr(SlJsonDoc) doc = configuration != NULL
                                   ? sl_json_read(configuration, strlen(configuration), NULL, NULL)
                                   : NULL;
    gboolean any = FALSE;
    for (; allowed != NULL && *allowed != NULL; allowed++) {
        g_autofree char *text = NULL;
        SlAddress address;
        if (!fill(*allowed, doc, &text))
            return NULL;
        if (text == NULL || *text == '\0')
            continue;
        g_autofree char *host = host_of(text);
        /* A block that holds what nobody may reach cannot be allowed: it means "no matter where".
         */
        if (!sl_address_parse(host, &address) ||
            (address.prefix == 0 && sl_address_is_denied(&address)))
            return NULL;
        g_autofree char *printed = sl_address_print(&address);
        g_strv_builder_add(addresses, printed);
        any = TRUE;
    }
    return any ? g_strv_builder_end(addresses) : NULL;
}
