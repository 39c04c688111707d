/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/* For tests: a message bus of their own, a systemd1 that starts nothing, and a polkit that says yes
 * to one action. Each stand-in lives in a thread of its own, so that blocking calls reach it. */

typedef struct SlTestBus SlTestBus;

/* Starts dbus-daemon and points $DBUS_SESSION_BUS_ADDRESS and $SLUICE_BUS to it. */
SlTestBus *sl_test_bus_new(void);
void sl_test_bus_free(SlTestBus *bus);

/* From now on org.freedesktop.PolicyKit1 is there and allows `action` only. */
void sl_test_bus_add_polkit(SlTestBus *bus, const char *action);

/* --- systemd1 ----------------------------------------------------------------------------------
 */

void sl_test_bus_add_systemd1(SlTestBus *bus);

/* What was asked of it, a line each: "start NAME", "start NAME with AUX",
 * "start-unit NAME MODE", "stop NAME", … */
char *sl_test_systemd1_take_calls(SlTestBus *bus);

/* The next start: fails with this D-Bus error, or its job ends with this result
 * ("never", of a unit that lies in a file: it goes on). */
void sl_test_systemd1_refuse_next(SlTestBus *bus, const char *error_name);
void sl_test_systemd1_fail_next(SlTestBus *bus, const char *job_result, gint32 status);

/* The next start tells the end of its job before it answers. */
void sl_test_systemd1_hurry_next(SlTestBus *bus);

/* A unit ends by itself. */
void sl_test_systemd1_end(SlTestBus *bus, const char *unit, const char *result, gint32 code,
                          gint32 status);

/* Which unit every process is in. */
void sl_test_systemd1_set_unit_of_all(SlTestBus *bus, const char *unit);
