/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "launcher-launch.h"

#include <string.h>

#include "sl-address.h"
#include "sl-error.h"

static const char *const role_names[] = {"source", "destination"};
G_STATIC_ASSERT(G_N_ELEMENTS(role_names) == LAUNCHER_N_ROLES);

const char *
launcher_role_name(LauncherRole role)
{
    return role_names[role];
}

gboolean
launcher_role_parse(const char *name, LauncherRole *ret_role, GError **error)
{
    for (int role = 0; role < LAUNCHER_N_ROLES; role++) {
        if (strcmp(name, role_names[role]) == 0) {
            *ret_role = (LauncherRole)role;
            return TRUE;
        }
    }
    return sl_error_set(error, SL_ERROR_INVALID, "role '%s': expected 'source' or 'destination'",
                        name);
}

gboolean
launcher_path_is_plain(const char *path)
{
    if (path[0] != '/' || path[1] == '\0')
        return FALSE;
    g_auto(GStrv) parts = g_strsplit(path + 1, "/", -1);
    for (guint i = 0; parts[i] != NULL; i++)
        if (*parts[i] == '\0' || strcmp(parts[i], ".") == 0 || strcmp(parts[i], "..") == 0)
            return FALSE;
    /* systemd splits bind paths given on the bus no further, but its unit files do at ':'. */
    return strpbrk(path, ":\n") == NULL;
}

/* --- members -----------------------------------------------------------------------------------
 */

typedef enum { MEMBER_STRING, MEMBER_STRINGS, MEMBER_NUMBER, MEMBER_BOOL } MemberKind;

typedef struct {
    const char *name;
    MemberKind kind;
    gsize offset;
    gint64 max; /* of numbers; the least is 1 */
} Member;

#define AT(member) G_STRUCT_OFFSET(LauncherLaunch, member)

static const Member members[] = {
    {"runtime", MEMBER_STRING, AT(runtime), 0},
    {"command", MEMBER_STRINGS, AT(command), 0},
    {"tree", MEMBER_STRING, AT(tree), 0},
    {"writable", MEMBER_STRINGS, AT(writable), 0},
    {"readable", MEMBER_STRINGS, AT(readable), 0},
    {"allowedAddresses", MEMBER_STRINGS, AT(allowed), 0},
    {"network", MEMBER_BOOL, AT(network), 0},
    {"writableRoot", MEMBER_BOOL, AT(writable_root), 0},
    {"memoryMax", MEMBER_NUMBER, AT(memory_max), G_MAXINT64 / 4},
    {"tasksMax", MEMBER_NUMBER, AT(tasks_max), 1000000},
    {"cpuPercent", MEMBER_NUMBER, AT(cpu_percent), 1000000},
    {"runtimeMaxSec", MEMBER_NUMBER, AT(runtime_max_usec), 365 * 86400},
};

static const Member *
find_member(const SlJsonNode *key)
{
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
        if (sl_json_string_is(key, members[i].name))
            return &members[i];
    return NULL;
}

static GStrv
dup_strings(const SlJsonDoc *doc, const SlJsonNode *node)
{
    g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func(g_free);
    if (node->type != SL_JSON_ARRAY)
        return NULL;
    SL_JSON_FOREACH (doc, node, child) {
        char *text = sl_json_dup_string(child);
        if (text == NULL)
            return NULL;
        g_ptr_array_add(strings, text);
    }
    g_ptr_array_add(strings, NULL);
    return (GStrv)g_ptr_array_steal(strings, NULL);
}

/* Reads one member; the text says what was expected instead. */
static const char *
read_member(const SlJsonDoc *doc, const SlJsonNode *value, const Member *member,
            LauncherLaunch *launch)
{
    gpointer at = G_STRUCT_MEMBER_P(launch, member->offset);
    gint64 number;
    char *text;
    GStrv strings;

    switch (member->kind) {
    case MEMBER_STRING:
        if ((text = sl_json_dup_string(value)) == NULL)
            return "expected a string";
        g_free(*(char **)at);
        *(char **)at = text;
        return NULL;
    case MEMBER_STRINGS:
        if ((strings = dup_strings(doc, value)) == NULL)
            return "expected a list of strings";
        g_strfreev(*(char ***)at);
        *(char ***)at = strings;
        return NULL;
    case MEMBER_NUMBER:
        if (!sl_json_get_int64(value, &number) || number < 1 || number > member->max)
            return "expected a whole number above 0 and in range";
        *(guint64 *)at = (guint64)number;
        return NULL;
    case MEMBER_BOOL:
        return sl_json_get_boolean(value, at) ? NULL : "expected true or false";
    }
    g_return_val_if_reached("unknown kind");
}

static gboolean
check_paths(char *const *paths, const char *prefix, const char *where, const char *name,
            GError **error)
{
    for (guint i = 0; paths != NULL && paths[i] != NULL; i++)
        if (!launcher_path_is_plain(paths[i]) || !g_str_has_prefix(paths[i], prefix))
            return sl_error_set(error, SL_ERROR_INVALID, "%s.%s: '%s' is no plain path below '%s'",
                                where, name, paths[i], prefix);
    return TRUE;
}

/* What nobody may reach is not allowed by being on a list. */
static gboolean
check_addresses(char *const *addresses, const char *where, GError **error)
{
    SlAddress address;
    for (guint i = 0; addresses != NULL && addresses[i] != NULL; i++) {
        if (!sl_address_parse(addresses[i], &address))
            return sl_error_set(error, SL_ERROR_INVALID,
                                "%s.allowedAddresses: '%s' is no address and no block of them",
                                where, addresses[i]);
        if (sl_address_is_denied(&address))
            return sl_error_set(error, SL_ERROR_INVALID,
                                "%s.allowedAddresses: '%s' is link-local or multicast, in part at "
                                "least, which no connector may reach",
                                where, addresses[i]);
    }
    return TRUE;
}

static gboolean
check(const LauncherLaunch *launch, const char *where, GError **error)
{
    if (launch->runtime == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "%s.runtime: missing", where);
    if (launch->command == NULL || launch->command[0] == NULL || *launch->command[0] == '\0')
        return sl_error_set(error, SL_ERROR_INVALID, "%s.command: missing or empty", where);
    return check_paths(launch->writable, LAUNCHER_STATE_PREFIX, where, "writable", error) &&
           check_paths(launch->readable, "/", where, "readable", error) &&
           check_addresses(launch->allowed, where, error);
}

LauncherLaunch *
launcher_launch_parse(const SlJsonDoc *doc, const SlJsonNode *node, const char *where,
                      GError **error)
{
    g_autoptr(LauncherLaunch) launch = g_new0(LauncherLaunch, 1);
    launch->network = TRUE;
    if (node->type != SL_JSON_OBJECT) {
        sl_error_set(error, SL_ERROR_INVALID, "%s: expected an object", where);
        return NULL;
    }
    SL_JSON_FOREACH (doc, node, key) {
        const SlJsonNode *value = key + 1;
        const Member *member = find_member(key);
        /* Members of a newer control plane are none of our business. */
        if (member == NULL || value->type == SL_JSON_NULL)
            continue;
        const char *fault = read_member(doc, value, member, launch);
        if (fault != NULL) {
            sl_error_set(error, SL_ERROR_INVALID, "%s.%s: %s", where, member->name, fault);
            return NULL;
        }
    }
    launch->runtime_max_usec *= G_USEC_PER_SEC;
    return check(launch, where, error) ? g_steal_pointer(&launch) : NULL;
}

void
launcher_launch_free(LauncherLaunch *launch)
{
    if (launch == NULL)
        return;
    g_free(launch->runtime);
    g_strfreev(launch->command);
    g_free(launch->tree);
    g_strfreev(launch->writable);
    g_strfreev(launch->readable);
    g_strfreev(launch->allowed);
    g_free(launch);
}
