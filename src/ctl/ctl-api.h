/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-http-unix.h"
#include "sl-json-read.h"

/* The APIs on the server's unix socket, where SO_PEERCRED says who we are, or on another host. */
#define CTL_SOCKET "/run/sluice/api.sock"
#define CTL_PUBLIC "/api/public/v1" /* the Airbyte public API */
#define CTL_SLUICE "/api/v1/sluice" /* our extension of it */

#define CTL_DEADLINE (60 * G_USEC_PER_SEC)
/* Calls that wait for a connector: spec, check, discover. The server's own limit comes first. */
#define CTL_DEADLINE_CONNECTOR (20 * 60 * G_USEC_PER_SEC)

typedef struct CtlApi CtlApi;

/* NULL path: $SLUICE_API_SOCKET, or CTL_SOCKET. */
CtlApi *ctl_api_new(const char *socket_path);
/* Another host's, over HTTPS: `url` is one of ctl_remote_parse_url(). */
CtlApi *ctl_api_new_remote(const char *url);
void ctl_api_free(CtlApi *api);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CtlApi, ctl_api_free)
/* Where it is: the path of a socket, or a URL. */
const char *ctl_api_get_place(const CtlApi *api);

/* One call; any 2xx is a document ("null" when the answer is empty), everything else an error with
 * the server's own words. `body` is JSON or NULL. */
SlJsonDoc *ctl_api_call(CtlApi *api, const char *method, const char *path, const char *body,
                        gint64 timeout, GError **error);
#define ctl_api_get(api, path, error)                                                              \
    ctl_api_call((api), "GET", (path), NULL, CTL_DEADLINE, (error))

/* The whole answer, whatever its status. */
SlHttpUnixReply *ctl_api_request(CtlApi *api, const char *method, const char *path,
                                 const char *body, gint64 timeout, GError **error);

/* An answer that is no 2xx as an error; TRUE for a 2xx. */
gboolean ctl_api_check_reply(const SlHttpUnixReply *reply, GError **error);

/* Members of an object, "" or -1 when missing or of another type. */
char *ctl_json_string(const SlJsonDoc *doc, const SlJsonNode *object, const char *key);
gint64 ctl_json_int(const SlJsonDoc *doc, const SlJsonNode *object, const char *key);
gboolean ctl_json_bool(const SlJsonDoc *doc, const SlJsonNode *object, const char *key);
/* RFC 3339 text or epoch seconds as microseconds; -1 when missing. */
gint64 ctl_json_time(const SlJsonDoc *doc, const SlJsonNode *object, const char *key);

/* A value's own document. */
SlJsonDoc *ctl_json_copy(const SlJsonNode *node);

/* Appends the value over several lines, two blanks per level; no newline at the end. */
void ctl_json_append_pretty(GString *out, const SlJsonDoc *doc, const SlJsonNode *node);
