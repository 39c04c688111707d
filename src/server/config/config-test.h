/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server-fixture.h"

/* POST `verb` ("workspaces/get") of the config API. The answer of a success is judged by the record
 * that the operation gives: its required members must be there. */
const char *config_call(Fixture *fix, const char *verb, const char *body, guint status);

/* The same, with the message of the error. */
void config_refused(Fixture *fix, const char *verb, const char *body, guint status,
                    const char *message);

/* The value at a path of member names and indices ("streams", "0", …), as text. Aborts without. */
const char *config_at(Fixture *fix, const char *json, ...) G_GNUC_NULL_TERMINATED;

#define CONFIG_CASE(name, func)                                                                    \
    g_test_add("/server/config/" name, Fixture, NULL, setup, func, teardown)

/* Nothing has it. */
#define NO_ID "11111111-2222-3333-4444-555555555555"

/* One per file of cases. */
void config_add_action_cases(void);
void config_add_actor_cases(void);
void config_add_builder_cases(void);
void config_add_check_cases(void);
void config_add_connection_cases(void);
void config_add_command_cases(void);
void config_add_definition_cases(void);
void config_add_history_cases(void);
void config_add_instance_cases(void);
void config_add_list_cases(void);
void config_add_next_run_cases(void);
void config_add_overview_cases(void);
void config_add_policy_cases(void);
void config_add_run_cases(void);
void config_add_schema_cases(void);
void config_add_state_cases(void);
void config_add_webhook_cases(void);
void config_add_stream_cases(void);
void config_add_timeline_cases(void);
void config_add_workspace_cases(void);
