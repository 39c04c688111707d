/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "crash-proxy.h"
#include "scheduler-turn.h"
#include "sl-config.h"
#include "sl-db.h"

/* What the daemons and people do with one connection, each step with the real code of its part. A
 * step runs here, or in a child of its own behind the proxy. */

/* Survives a child that is killed. */
typedef struct {
    gint64 ahead; /* of the wall clock, in microseconds: leases and waits run out without waiting */
    gint64 job_id;
    char workload_id[64]; /* of the newest attempt; "": none */
    char token[40];       /* of the claim whose answer arrived last */
    gint64 sent, acked;   /* greatest state that a holder sent, and whose answer arrived */
    gboolean clears;      /* the newest job empties the streams */
    guint notices_sent;   /* however often: a sender that dies sends again */
    guint status;         /* of the last answer of the API; 0: none */
} Shared;

typedef struct {
    SlDb *db;
    char *database; /* its name */
    SlConfig *config;
    Shared *shared;
    CrashProxy *proxy;
    char *connection_id;
    SchedulerState scheduler; /* this process's */
    struct pg_conn *pg;       /* world_ask()'s */
    GHashTable *prepared;     /* text → name */
} World;

World *world_new(void);
void world_free(World *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

gint64 world_now(const World *world);

/* A new connection, active and without a schedule, of two streams: 'i' is incremental, 'f' a full
 * refresh. */
void world_add_connection(World *world);

/* First column of a statement's rows, joined by ", ". "'%s'" in `sql` is the connection's id. */
char *world_ask(World *world, const char *sql);

typedef void (*Step)(World *world);

/* In this process. */
void world_do(World *world, Step step);

/* In a child, struck at one of its statements. FALSE: it had fewer. The strike over, nothing of the
 * child holds a lock any more. */
gboolean world_crash(World *world, Step step, guint strike, CrashMode mode);

/* The same in parts: a child that waits in the middle, and goes on later. */
gboolean world_freeze(World *world, Step step, guint strike, pid_t *ret_pid);
void world_break(World *world); /* the server ends the child's transactions, as it does in time */
void world_thaw(World *world, pid_t pid);

/* All parts do their work, time goes by, until nothing is left to do. */
void world_settle(World *world);

/* A sync, as it were asked for; a schedule whose first run is due. */
void step_create(World *world);
void step_due(World *world);

/* People (crash-people). What they got no answer to they ask for again. */
gboolean crash_is_person(Step step);
void step_trigger(World *world);
void step_clear(World *world);
void step_cancel(World *world);
void step_delete(World *world);
void step_disable(World *world);
void step_edit(World *world);
void step_refresh(World *world);      /* of stream 'i', whose old rows go */
void step_refresh_all(World *world);  /* old rows stay */
void step_clear_stream(World *world); /* 'f' */

/* The scheduler's turn and the worker's tasks. */
void step_schedule(World *world);
void step_work(World *world);

/* The launcher takes what is pending; it gives it back. */
void step_launch(World *world);
void step_claim(World *world);
void step_release(World *world);

/* The holder: runs and commits a state; ends well, badly, badly with a state, or as it was told. */
void step_hold(World *world);
void step_finish(World *world);
void step_fail(World *world);
void step_fail_late(World *world);
void step_stop(World *world);

/* The duty that ends what fell silent; a lease's time goes by before. */
void step_silence(World *world);

/* The sender of the outbox. */
void step_notify(World *world);
