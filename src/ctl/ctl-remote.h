/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-http-unix.h"

/* The API of another host over HTTP (`sluicectl -H https://host`), with the token of an
 * application. Blocking; one object, one thread. */
typedef struct CtlRemote CtlRemote;

/* "host", "host:port" or a URL → "https://host:port" without a slash at the end. Plain HTTP is for
 * this host only: SL_ERROR_INVALID. */
char *ctl_remote_parse_url(const char *text, GError **error);

/* Takes $SLUICE_TOKEN, or the application that `sluicectl login` has stored for `url`. */
CtlRemote *ctl_remote_new(const char *url);
void ctl_remote_free(CtlRemote *remote);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CtlRemote, ctl_remote_free)

/* As sl_http_unix_request(). Without a token: SL_ERROR_UNAUTHENTICATED with the way to one. */
SlHttpUnixReply *ctl_remote_request(CtlRemote *remote, const char *method, const char *path,
                                    const char *body, gint64 timeout_usec, GError **error);

/* Gets a token with these, to see whether they are good, and stores them. */
gboolean ctl_remote_login(CtlRemote *remote, const char *client_id, const char *client_secret,
                          GError **error);

/* FALSE without an error: there was nothing stored. */
gboolean ctl_remote_logout(const char *url, GError **error);

/* ~/.config/sluice/hosts.conf. */
char *ctl_remote_hosts_path(void);
