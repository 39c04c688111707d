/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "init-setup.h"

/* Starts the connector in a session and process group of its own and says STARTED. When it cannot
 * be executed: link_fail() with 126 or 127. */
void child_start(InitSetup *setup);

/* Looks after it to its end: passes signals on, reaps, ends it when the peer hangs up (SIGTERM,
 * `kill_after_ms` later SIGKILL), says EXIT, ends what it left running. Returns the status that
 * sluice-init shall exit with. */
int child_supervise(int64_t kill_after_ms);
