/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-http-router.h"

#include "sl-error.h"

static const SlHttpRoute routes[] = {
    {"GET", "/", "root"},
    {"GET", "/api/sources", "list"},
    {"POST", "/api/sources", "create"},
    {"GET", "/api/sources/{sourceId}", "get"},
    {"DELETE", "/api/sources/{sourceId}", "delete"},
    {"POST", "/api/sources/initiateOAuth", "oauth"},
    {"GET", "/api/w/{w}/definitions/{id}", "definition"},
    {"GET", "/api/w/fixed/other", "other"},
    {"OPTIONS", "/api/w", "options"},
    {"HEAD", "/api/w", "head"},
};

static const struct {
    const char *method, *path;
    SlHttpMatchResult result;
    const char *target, *name, *value; /* of the first parameter; 405: Allow in `value` */
} cases[] = {
    {"GET", "/", SL_HTTP_MATCH_OK, "root", NULL, NULL},
    {"GET", "/api/sources", SL_HTTP_MATCH_OK, "list", NULL, NULL},
    {"GET", "/api/sources/", SL_HTTP_MATCH_OK, "list", NULL, NULL},
    {"HEAD", "/api/sources", SL_HTTP_MATCH_OK, "list", NULL, NULL},
    {"HEAD", "/api/w", SL_HTTP_MATCH_OK, "head", NULL, NULL},
    {"POST", "/api/sources", SL_HTTP_MATCH_OK, "create", NULL, NULL},
    {"GET", "/api/sources/42", SL_HTTP_MATCH_OK, "get", "sourceId", "42"},
    {"DELETE", "/api/sources/a%2Fb%20c/", SL_HTTP_MATCH_OK, "delete", "sourceId", "a/b c"},
    {"POST", "/api/sources/initiateOAuth", SL_HTTP_MATCH_OK, "oauth", NULL, NULL},
    {"GET", "/api/w/7/definitions/9", SL_HTTP_MATCH_OK, "definition", "w", "7"},
    /* the literal branch does not go on, the parameter's does */
    {"GET", "/api/w/fixed/definitions/9", SL_HTTP_MATCH_OK, "definition", "w", "fixed"},
    {"GET", "/api/w/fixed/other", SL_HTTP_MATCH_OK, "other", NULL, NULL},
    {"GET", "/api/%73ources", SL_HTTP_MATCH_OK, "list", NULL, NULL},

    {"GET", "/api", SL_HTTP_MATCH_NO_PATH, NULL, NULL, NULL},
    {"GET", "/api/sources//", SL_HTTP_MATCH_NO_PATH, NULL, NULL, NULL},
    {"GET", "//api/sources", SL_HTTP_MATCH_NO_PATH, NULL, NULL, NULL},
    {"GET", "/api/sources/1/2", SL_HTTP_MATCH_NO_PATH, NULL, NULL, NULL},
    {"GET", "/api/sources/%2e%2e/w", SL_HTTP_MATCH_NO_PATH, NULL, NULL, NULL},
    {"GET", "api/sources", SL_HTTP_MATCH_NO_PATH, NULL, NULL, NULL},
    {"GET", "*", SL_HTTP_MATCH_NO_PATH, NULL, NULL, NULL},
    {"GET", "", SL_HTTP_MATCH_NO_PATH, NULL, NULL, NULL},
    {"PATCH", "/api/sources", SL_HTTP_MATCH_NO_METHOD, NULL, NULL, "GET, HEAD, POST"},
    {"get", "/api/sources", SL_HTTP_MATCH_NO_METHOD, NULL, NULL, "GET, HEAD, POST"},
    {"GET", "/api/w", SL_HTTP_MATCH_NO_METHOD, NULL, NULL, "OPTIONS, HEAD"},
    {"GET", "/api/sources/%zz", SL_HTTP_MATCH_BAD_PATH, NULL, NULL, NULL},
    {"GET", "/api/sources/%00", SL_HTTP_MATCH_BAD_PATH, NULL, NULL, NULL},
    {"GET", "/api/sources/%4", SL_HTTP_MATCH_BAD_PATH, NULL, NULL, NULL},
};

static void
test_match(void)
{
    g_autoptr(SlHttpRouter) router = sl_http_router_new();
    g_assert_true(sl_http_router_add(router, routes, G_N_ELEMENTS(routes), NULL));
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(SlHttpMatch) match = {0};
        g_autofree char *allow = NULL;
        g_test_message("%s %s", cases[i].method, cases[i].path);
        g_assert_cmpint(
            sl_http_router_match(router, cases[i].method, cases[i].path, &match, &allow), ==,
            cases[i].result);
        if (cases[i].result == SL_HTTP_MATCH_OK)
            g_assert_cmpstr(match.route->target, ==, cases[i].target);
        else
            g_assert_cmpstr(allow, ==, cases[i].value);
        if (cases[i].name != NULL)
            g_assert_cmpstr(sl_http_match_get(&match, cases[i].name), ==, cases[i].value);
        g_assert_null(sl_http_match_get(&match, "source"));
    }
}

static void
test_two_params(void)
{
    g_autoptr(SlHttpRouter) router = sl_http_router_new();
    g_auto(SlHttpMatch) match = {0};
    g_assert_true(sl_http_router_add(router, routes, G_N_ELEMENTS(routes), NULL));
    sl_http_router_match(router, "GET", "/api/w/7/definitions/9", &match, NULL);
    g_assert_cmpuint(match.n_params, ==, 2);
    g_assert_cmpstr(sl_http_match_get(&match, "w"), ==, "7");
    g_assert_cmpstr(sl_http_match_get(&match, "id"), ==, "9");
}

static void
test_twice(void)
{
    g_autoptr(SlHttpRouter) router = sl_http_router_new();
    static const SlHttpRoute twice[] = {{"GET", "/a/{x}", "first"}, {"GET", "/a/{y}", "second"}};
    static const SlHttpRoute no_path = {"GET", "a", NULL};
    static const SlHttpRoute many = {"GET", "/{a}/{b}/{c}/{d}/{e}", NULL};
    g_auto(SlHttpMatch) match = {0};
    g_autoptr(GError) error = NULL;
    g_assert_false(sl_http_router_add(router, twice, 2, &error));
    g_assert_error(error, SL_ERROR, SL_ERROR_INVALID);
    g_assert_cmpstr(error->message, ==, "route 'GET /a/{y}' is there twice");
    g_assert_false(sl_http_router_add(router, &no_path, 1, NULL));
    g_assert_false(sl_http_router_add(router, &many, 1, NULL));
    sl_http_router_match(router, "GET", "/a/1", &match, NULL);
    g_assert_cmpstr(match.route->target, ==, "first");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/router/match", test_match);
    g_test_add_func("/http/router/two-params", test_two_params);
    g_test_add_func("/http/router/twice", test_twice);
    return g_test_run();
}
