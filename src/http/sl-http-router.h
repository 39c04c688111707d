/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Finds the route of a method and a path: a tree of segments, built once from const tables, then
 * read-only and so usable from any thread. A literal segment wins over a "{parameter}". */
typedef struct _SlHttpRouter SlHttpRouter;

typedef struct {
    const char *method;
    const char *path;     /* "/api/public/v1/sources/{sourceId}" */
    gconstpointer target; /* the caller's */
} SlHttpRoute;

#define SL_HTTP_MAX_PARAMS 4

typedef struct {
    const SlHttpRoute *route;
    guint n_params;
    const char *names[SL_HTTP_MAX_PARAMS]; /* "sourceId" */
    char *values[SL_HTTP_MAX_PARAMS];      /* percent-decoded */
} SlHttpMatch;

void sl_http_match_clear(SlHttpMatch *match);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlHttpMatch, sl_http_match_clear)

/* NULL: no such parameter. */
const char *sl_http_match_get(const SlHttpMatch *match, const char *name);

SlHttpRouter *sl_http_router_new(void);
void sl_http_router_free(SlHttpRouter *router);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlHttpRouter, sl_http_router_free)

/* The table must outlive the router. SL_ERROR_INVALID names a route that is there twice, or whose
 * path is none; what stands before it was added. */
gboolean sl_http_router_add(SlHttpRouter *router, const SlHttpRoute *routes, guint n_routes,
                            GError **error);

typedef enum {
    SL_HTTP_MATCH_OK,
    SL_HTTP_MATCH_NO_PATH,   /* 404 */
    SL_HTTP_MATCH_NO_METHOD, /* 405; ret_allow (may be NULL): the Allow header */
    SL_HTTP_MATCH_BAD_PATH,  /* 400: a broken percent-encoding, or an encoded NUL */
} SlHttpMatchResult;

/* `path` is percent-encoded, as received; one trailing slash is ignored. HEAD finds GET. */
SlHttpMatchResult sl_http_router_match(const SlHttpRouter *router, const char *method,
                                       const char *path, SlHttpMatch *ret, char **ret_allow);
