/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-init-wire.h"

/* What the connector is to be started with. The strings live in static storage. */
typedef struct {
    int fds[SL_INIT_MAX_FDS];
    char *argv[SL_INIT_MAX_ARGS + 1]; /* NULL at the end */
    unsigned n_args;
    char *env[SL_INIT_MAX_ENV + 1]; /* NULL at the end */
    unsigned n_env;
} InitSetup;

/* Takes over the arguments of the command line and what is kept of the environment. Gives up by
 * link_fail() when there are too many. */
void setup_begin(InitSetup *setup, char **args, char **environment);

/* Adds NAME=VALUE, replacing an earlier value of NAME. */
void setup_add_env(InitSetup *setup, char *entry);

/* Obeys the peer's frames until START; files go to the folder `files`. Gives up by link_fail() when
 * the peer breaks the protocol or a file cannot be written. */
void setup_receive(InitSetup *setup, const char *files);
