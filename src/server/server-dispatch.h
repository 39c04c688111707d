/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-intent.h"
#include "sl-config.h"
#include "sl-mail.h"
#include "sl-db.h"
#include "sl-http-router.h"
#include "sl-http-server.h"
#include "sl-seal.h"

/* Between sl-http and the handlers: finds the operation, says who calls, builds the input record
 * from path, query and body, opens the transaction, runs the handler, commits, and writes the
 * answer or the problem. Handlers see records and a transaction, nothing of HTTP. */

typedef enum { SERVER_KIND_NONE, SERVER_KIND_SOURCE, SERVER_KIND_DESTINATION } ServerKind;
typedef enum { SERVER_TX_NONE, SERVER_TX_READ, SERVER_TX_WRITE } ServerTx;

/* What *ret of a handler is. */
typedef enum {
    SERVER_OUT_NONE,
    SERVER_OUT_RECORD,
    SERVER_OUT_ARRAY,  /* GPtrArray of records */
    SERVER_OUT_TEXT,   /* allocated text, sent as it is */
    SERVER_OUT_STRING, /* allocated text, sent as a JSON string */
    SERVER_OUT_STREAM, /* ServerPieces (server-pieces.h) */
} ServerOut;

typedef struct ServerCtx ServerCtx;
typedef struct ServerPieces ServerPieces;
typedef struct ServerEvents ServerEvents;
typedef struct ServerWeb ServerWeb;
typedef gboolean (*ServerThunk)(ServerCtx *ctx, gconstpointer in, gpointer *ret, GError **error);

/* One row of the generated table (server-routes.h). */
typedef struct {
    const char *name; /* operationId */
    const char *method;
    const char *path;
    ServerIntent intent;  /* what a caller must be allowed to do */
    const char *id_means; /* the member that `id` of the input stands for: "jobId"; NULL: none */
    gboolean default_organization; /* without an id it takes effect in the default organization */
    ServerKind kind;
    ServerTx tx;
    ServerOut out;
    guint status; /* of success */
    const SlRecord *in_record, *out_record;
    ServerThunk run;
} ServerOperation;

/* What the whole process has. Read-only once it serves. */
typedef struct {
    SlDb *db;
    SlSealKey *seal_key;             /* NULL: no credential; secrets are refused */
    GBytes *token_key;               /* signs our tokens */
    char *public_url;                /* without a slash at the end */
    char *registry_runtimes;         /* [Registry] Runtimes=, as far as this host has them */
    char *log_folder;                /* of job logs */
    struct ServerHasher *hasher;     /* of server_init() */
    struct ServerThrottle *throttle; /* of server_init() */
    gsize hash_memory;               /* bytes of one password's hash; 0: the default */
    gint64 token_usec;               /* how long a token of an application is good */
    gint64 session_token_usec;       /* and one of a browser's session */
    gint64 session_usec;             /* longest session */
    gint64 setup_link_usec;          /* how long a setup link is good */
    /* Wakes requests that are parked under a key; may be NULL. From any thread. */
    void (*wake)(const char *key, gpointer data);
    gpointer wake_data;
    SlMailServer mail;             /* strings are the owner's; no url: no mail */
    gboolean webhooks_public_only; /* not to private addresses */
    const char *post_sync_units;   /* globs; the owner's; NULL: none */
    const SlConfig *config;        /* the owner's; NULL: the defaults */
    gint64 await_usec;             /* how long a request may wait for a job */
    gint64 stop_usec;     /* and for the end of one that it cancels: clients wait for 5 s */
    char *openapi;        /* the description, as JSON */
    ServerEvents *events; /* what open pages hear of */
    ServerWeb *web;       /* the page; NULL: none */
    SlHttpRouter *router;
    SlHttpRoute *routes; /* the router's */
    uid_t admin_uid;     /* the control plane's own user; (uid_t)-1: none */
    gid_t admin_gid;     /* group whose members administrate; (gid_t)-1: none */
} Server;

/* Builds the router. `server` keeps what it is given. SL_ERROR_FAILED: the table is wrong. */
gboolean server_init(Server *server, GError **error);
void server_clear(Server *server);

/* An SlHttpHandler; `data` is the Server. */
void server_handle(SlHttpRequest *request, SlHttpReply *reply, gpointer data);

/* The key under which requests that wait for a job are parked. */
char *server_job_key(const char *job_id);

/* --- for handlers ------------------------------------------------------------------------------
 */

/* Who calls. */
typedef struct {
    char *user_id;                     /* NULL: anonymous */
    char *basic_name, *basic_password; /* of Basic authorization, until it is known whose */
    char *application_id, *session_id; /* what the token belongs to */
    gboolean admin;                    /* of the instance */
    gboolean local_root;               /* root, on the unix socket */
    GPtrArray *permissions;            /* SlPermission; NULL until loaded */
} ServerCaller;

/* The administrator that every installation begins with; local callers are that one too. */
#define SERVER_DEFAULT_USER "00000000-0000-0000-0000-000000000000"

struct ServerCtx {
    const Server *server;
    const ServerOperation *operation;
    const SlHttpRequest *request; /* for its headers */
    SlTx *tx;                     /* NULL with SERVER_TX_NONE */
    gint64 now;
    ServerCaller caller;
    ServerRoles roles; /* of the caller, in the scope of the request */
    char **visible;    /* server_ctx_workspaces()'s */
    gboolean must_ask; /* a list without ids: it must call server_ctx_workspaces() */

    GPtrArray *headers; /* of the answer: names and values in turn */
    GPtrArray *hashes;  /* passwords that are being looked at (server-password) */
    GError *refusal;    /* server_ctx_refuse()'s */

    gint64 job_id;    /* the job that this request waits for; 0: none yet */
    gint64 deadline;  /* monotonic; when the waiting ends */
    gboolean waiting; /* set by server_ctx_wait() and server_ctx_wait_for() */
    char *wait_key;   /* server_ctx_wait_for()'s */
};

/* Not done yet: commit, and run the handler again when the job has changed. Returns TRUE, for the
 * handler to return. The first call sets the deadline. */
gboolean server_ctx_wait(ServerCtx *ctx, gint64 job_id, gint64 usec);

/* The same for something else than a job, that ends by itself and wakes the key. */
void server_ctx_wait_for(ServerCtx *ctx, const char *key);

/* A header of the answer, also when that is an error. */
void server_ctx_add_header(ServerCtx *ctx, const char *name, const char *value);

/* Commit what was done, and then answer with an error. For the handler to return TRUE after. */
void server_ctx_refuse(ServerCtx *ctx, int code, const char *message);

/* For what the input decides: does the caller's role, in the scope of the request, allow this too?
 * SL_ERROR_FORBIDDEN. */
gboolean server_ctx_require(const ServerCtx *ctx, ServerIntent intent, GError **error);

/* May the caller see what is in the workspace (as far as the operation's intent goes)? */
gboolean server_ctx_sees(ServerCtx *ctx, const char *workspace_id, gboolean *ret, GError **error);

/* The workspaces that a list is about: the `workspaceIds` of the input, all of which were allowed,
 * or without them those that the caller may see. Empty: all (never: none). For sl_sql_*_list(). */
gboolean server_ctx_workspaces(ServerCtx *ctx, char *const *given, const char *const **ret,
                               GError **error);
