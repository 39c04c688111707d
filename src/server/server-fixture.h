/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-dispatch.h"
#include "sl-http-unix.h"
#include "sl-queue-fixture.h"

/* For tests of suite 'db'. Short names: a case reads like the conversation that it is.
 *   g_test_add("/server/x", Fixture, NULL, setup, test_x, teardown) */

/* The whole server in a thread on a unix socket; each case talks HTTP to it. Jobs are finished by
 * a thread that plays the worker. */
typedef struct {
    Server server;
    SlHttpServer *http;
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread, *worker;
    GMutex mutex;
    GCond cond;
    gboolean serving;
    char *folder, *path;
    SlHttpUnix *client;
    GHashTable *unheard;    /* of streams */
    GPtrArray *answers;     /* strings to be freed with the fixture */
    const char *job_output; /* what the next jobs give; NULL: they fail */
    gint stop_worker, pause_worker;
} Fixture;

#define WS "/api/public/v1/workspaces/" FIXTURE_WORKSPACE
#define SPEC                                                                                       \
    "{\"connectionSpecification\":{\"type\":\"object\",\"required\":[\"host\",\"password\"],"      \
    "\"properties\":{\"host\":{\"type\":\"string\"},\"port\":{\"type\":\"integer\",\"minimum\":1," \
    "\"maximum\":65535},\"password\":{\"type\":\"string\",\"airbyte_secret\":true},\"options\":{"  \
    "\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"}}" \
    "}"                                                                                            \
    "}},\"supported_destination_sync_modes\":[\"overwrite\",\"append\",\"append_dedup\"]}"

void setup(Fixture *fix, gconstpointer data);
void teardown(Fixture *fix, gconstpointer data);

/* The answer's body; the status and its Content-Type are asserted. NULL body: none. */
const char *call(Fixture *fix, const char *method, const char *path, const char *body,
                 guint status);
const char *call_with(Fixture *fix, const char *const *headers, const char *method,
                      const char *path, const char *body, guint status);

void assert_has(const char *text, const char *part);
void assert_lacks(const char *text, const char *part);

/* A member of the answer's top level: a string's text, any other value's bytes. */
const char *member(Fixture *fix, const char *json, const char *name);
const char *format(Fixture *fix, const char *pattern, ...) G_GNUC_PRINTF(2, 3);

/* --- answers made piece by piece --- */

/* Sends a GET and leaves the answer to be heard. `headers`: whole lines, or "". */
int stream_open(Fixture *fix, const char *path, const char *headers);

/* What comes up to `text` and with it, which must come before the end and within 30 s; what follows
 * is left. `text` NULL: all up to the end. */
const char *stream_hear(Fixture *fix, int fd, const char *text);
