/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-test.h"

static void
test_organization(Fixture *fix, gconstpointer data)
{
    const char *answer = config_call(fix, "workspaces/get_organization_info",
                                     "{\"workspaceId\":\"" FIXTURE_WORKSPACE "\"}", 200);
    g_assert_cmpstr(member(fix, answer, "sso"), ==, "false");
    config_refused(fix, "workspaces/get_organization_info", "{\"workspaceId\":\"" NO_ID "\"}", 404,
                   NO_ID);
}

void
config_add_workspace_cases(void)
{
    CONFIG_CASE("workspace/organization", test_organization);
}
