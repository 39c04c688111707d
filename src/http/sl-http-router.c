/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-router.h"

#include <string.h>

#include "sl-error.h"

typedef struct Node Node;
struct Node {
    GHashTable *literals; /* segment → Node */
    Node *param;          /* "{…}" */
    GPtrArray *routes;    /* const SlHttpRoute, one per method */
};

struct _SlHttpRouter {
    Node *root;
};

static void
node_free(Node *node)
{
    if (node == NULL)
        return;
    g_hash_table_unref(node->literals);
    node_free(node->param);
    g_ptr_array_unref(node->routes);
    g_free(node);
}

static Node *
node_new(void)
{
    Node *node = g_new0(Node, 1);
    node->literals =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)node_free);
    node->routes = g_ptr_array_new();
    return node;
}

SlHttpRouter *
sl_http_router_new(void)
{
    SlHttpRouter *router = g_new0(SlHttpRouter, 1);
    router->root = node_new();
    return router;
}

void
sl_http_router_free(SlHttpRouter *router)
{
    if (router == NULL)
        return;
    node_free(router->root);
    g_free(router);
}

void
sl_http_match_clear(SlHttpMatch *match)
{
    for (guint i = 0; i < match->n_params; i++)
        g_free(match->values[i]);
    memset(match, 0, sizeof(*match));
}

const char *
sl_http_match_get(const SlHttpMatch *match, const char *name)
{
    for (guint i = 0; i < match->n_params; i++)
        if (strlen(name) == strcspn(match->names[i], "}") &&
            g_str_has_prefix(match->names[i], name))
            return match->values[i];
    return NULL;
}

/* --- building ------------------------------------------------------------------------------ */

static const SlHttpRoute *
node_find_method(const Node *node, const char *method)
{
    const SlHttpRoute *get = NULL;
    for (guint i = 0; i < node->routes->len; i++) {
        const SlHttpRoute *route = node->routes->pdata[i];
        if (strcmp(route->method, method) == 0)
            return route;
        if (strcmp(route->method, "GET") == 0)
            get = route;
    }
    return strcmp(method, "HEAD") == 0 ? get : NULL;
}

static Node *
node_ensure_child(Node *node, const char *segment)
{
    Node *child;
    if (segment[0] == '{') {
        if (node->param == NULL)
            node->param = node_new();
        return node->param;
    }
    child = g_hash_table_lookup(node->literals, segment);
    if (child == NULL) {
        child = node_new();
        g_hash_table_insert(node->literals, g_strdup(segment), child);
    }
    return child;
}

static gboolean
router_add_one(SlHttpRouter *router, const SlHttpRoute *route, GError **error)
{
    Node *node = router->root;
    guint n_params = 0;
    g_auto(GStrv) segments = g_strsplit(route->path, "/", -1);

    if (route->path[0] != '/')
        return sl_error_set(error, SL_ERROR_INVALID, "route '%s': no path", route->path);
    for (char **s = segments + 1; *s != NULL; s++) {
        if ((*s)[0] == '{')
            n_params++;
        if ((*s)[0] != '\0')
            node = node_ensure_child(node, *s);
    }
    if (n_params > SL_HTTP_MAX_PARAMS)
        return sl_error_set(error, SL_ERROR_INVALID, "route '%s': too many parameters",
                            route->path);
    if (node_find_method(node, route->method) != NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "route '%s %s' is there twice", route->method,
                            route->path);
    g_ptr_array_add(node->routes, (gpointer)route);
    return TRUE;
}

gboolean
sl_http_router_add(SlHttpRouter *router, const SlHttpRoute *routes, guint n_routes, GError **error)
{
    for (guint i = 0; i < n_routes; i++)
        if (!router_add_one(router, &routes[i], error))
            return FALSE;
    return TRUE;
}

/* --- matching ------------------------------------------------------------------------------ */

/* Walks depth first, literal before parameter. A path that a literal branch cannot finish may
 * still be one of the parameter's branch. */
static const Node *
node_match(const Node *node, char **segments)
{
    if (segments[0] == NULL)
        return node->routes->len > 0 ? node : NULL;
    const Node *child = g_hash_table_lookup(node->literals, segments[0]);
    const Node *found = child != NULL ? node_match(child, segments + 1) : NULL;
    if (found == NULL && node->param != NULL && segments[0][0] != '\0')
        found = node_match(node->param, segments + 1);
    return found;
}

static char *
allowed_methods(const Node *node)
{
    GString *allow = g_string_new(NULL);
    for (guint i = 0; i < node->routes->len; i++) {
        const SlHttpRoute *route = node->routes->pdata[i];
        g_string_append_printf(allow, "%s%s", i > 0 ? ", " : "", route->method);
        if (strcmp(route->method, "GET") == 0)
            g_string_append(allow, ", HEAD");
    }
    return g_string_free(allow, FALSE);
}

/* The route's own path says which segments are parameters. */
static void
take_params(const SlHttpRoute *route, char **segments, SlHttpMatch *ret)
{
    g_auto(GStrv) names = g_strsplit(route->path, "/", -1);
    const char *at = route->path;
    for (guint i = 1; names[i] != NULL && segments[i - 1] != NULL; i++) {
        at = strchr(at, '/') + 1;
        if (names[i][0] != '{')
            continue;
        ret->names[ret->n_params] = at + 1;
        ret->values[ret->n_params++] = g_strdup(segments[i - 1]);
    }
}

SlHttpMatchResult
sl_http_router_match(const SlHttpRouter *router, const char *method, const char *path,
                     SlHttpMatch *ret, char **ret_allow)
{
    memset(ret, 0, sizeof(*ret));
    if (path[0] != '/')
        return SL_HTTP_MATCH_NO_PATH;
    g_auto(GStrv) segments = g_strsplit(path + 1, "/", -1);
    guint n = g_strv_length(segments);
    if (n > 0 && segments[n - 1][0] == '\0') /* one trailing slash */
        g_clear_pointer(&segments[n - 1], g_free);
    for (char **s = segments; *s != NULL; s++) {
        char *decoded = g_uri_unescape_string(*s, NULL); /* NULL for %00 and broken ones */
        if (decoded == NULL)
            return SL_HTTP_MATCH_BAD_PATH;
        g_free(*s);
        *s = decoded;
    }
    const Node *node = node_match(router->root, segments);
    if (node == NULL)
        return SL_HTTP_MATCH_NO_PATH;
    ret->route = node_find_method(node, method);
    if (ret->route == NULL) {
        if (ret_allow != NULL)
            *ret_allow = allowed_methods(node);
        return SL_HTTP_MATCH_NO_METHOD;
    }
    take_params(ret->route, segments, ret);
    return SL_HTTP_MATCH_OK;
}
