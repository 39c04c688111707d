/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-target.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl-object.h"
#include "sl-error.h"
#include "sl-json-write.h"

/* {"runtime": "exec", "command": [PATH]} */
static char *
exec_launch(const char *path)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    const char *const command[] = {path, NULL};
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "runtime", "exec");
    sl_json_key(&w, "command");
    sl_json_strings(&w, command);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

static gboolean
find_program(const char *word, gboolean sandbox, CtlTarget *ret, GError **error)
{
    struct stat st;
    char *real = realpath(word, NULL);
    ret->program = g_strdup(real);
    free(real);
    if (ret->program == NULL || stat(ret->program, &st) != 0)
        return sl_error_set_errno(error, errno, "'%s'", word);
    mode_t wanted = sandbox ? S_IXOTH : S_IXUSR | S_IXGRP | S_IXOTH;
    if (!S_ISREG(st.st_mode) || (st.st_mode & wanted) == 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            sandbox
                                ? _("'%s' is not executable by everybody, as the sandbox's user "
                                    "must; 'chmod a+rx' makes it so")
                                : _("'%s' is no executable file"),
                            word);
    if (sandbox)
        ret->launch = exec_launch(ret->program);
    return TRUE;
}

/* The members of a connector that its launch has, too. */
static char *
installed_launch(const CtlObject *connector)
{
    static const char *const members[] = {"runtime", "command", "tree"};
    const SlJsonNode *root = sl_json_root(connector->doc);
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        const SlJsonNode *value = sl_json_get(connector->doc, root, members[i]);
        if (value == NULL || value->type == SL_JSON_NULL)
            continue;
        sl_json_key(&w, members[i]);
        sl_json_node(&w, value);
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

/* What a low-code source is besides the program that runs it. Code of its own is for jobs, which
 * compare it with the consent. */
static gboolean
load_manifest(Ctl *ctl, const CtlObject *connector, CtlTarget *ret, GError **error)
{
    g_autofree char *runtime =
        ctl_json_string(connector->doc, sl_json_root(connector->doc), "runtime");
    if (strcmp(runtime, "manifest") != 0)
        return TRUE;
    g_autofree char *path = g_strdup_printf(CTL_SLUICE "/definitions/%s", connector->id);
    g_autoptr(SlJsonDoc) doc = ctl_api_get(ctl->api, path, error);
    if (doc == NULL)
        return FALSE;
    g_autofree char *sum = ctl_json_string(doc, sl_json_root(doc), "componentsSha256");
    const SlJsonNode *manifest = sl_json_get(doc, sl_json_root(doc), "manifest");
    if (*sum != '\0')
        return sl_error_set(error, SL_ERROR_NOT_IMPLEMENTED,
                            _("connector '%s' brings Python code, which is run by jobs only: try "
                              "'sluicectl source test'"),
                            connector->name);
    ret->manifest = manifest != NULL ? sl_json_dup_span(manifest) : NULL;
    return ret->manifest != NULL ||
           sl_error_set(error, SL_ERROR_PROTOCOL, _("connector '%s' has no manifest"),
                        connector->name);
}

static gboolean
find_installed(Ctl *ctl, const char *word, const char **role, CtlTarget *ret, GError **error)
{
    const char *type = *role != NULL ? *role : ctl_option(ctl, CTL_OPT_TYPE);
    guint kinds = type == NULL                  ? CTL_KINDS_CONNECTOR
                  : strcmp(type, "source") == 0 ? CTL_KIND_BIT(CTL_SOURCE_CONNECTOR)
                                                : CTL_KIND_BIT(CTL_DESTINATION_CONNECTOR);
    g_autoptr(GPtrArray) all = ctl_object_list(ctl, kinds, error);
    const CtlObject *connector = all != NULL ? ctl_object_pick(all, kinds, word, error) : NULL;
    if (connector == NULL || !load_manifest(ctl, connector, ret, error))
        return FALSE;
    ret->launch = installed_launch(connector);
    *role = connector->kind == CTL_SOURCE_CONNECTOR ? "source" : "destination";
    return TRUE;
}

/* "./destination-mine" says what it is. */
static const char *
guess_role(Ctl *ctl, const char *path)
{
    g_autofree char *name = g_path_get_basename(path);
    if (ctl_option(ctl, CTL_OPT_TYPE) != NULL)
        return ctl_option(ctl, CTL_OPT_TYPE);
    if (strstr(name, "destination") != NULL)
        return "destination";
    return strstr(name, "source") != NULL ? "source" : NULL;
}

gboolean
ctl_target_find(Ctl *ctl, const char *word, const char *role, CtlTarget *ret, GError **error)
{
    gboolean sandbox = ctl_option(ctl, CTL_OPT_NO_SANDBOX) == NULL;
    gboolean is_path = strchr(word, '/') != NULL;
    if (!ctl_need_local(ctl, error))
        return FALSE;
    if (!sandbox && !is_path)
        return ctl_set_usage_error(
            error, _("--no-sandbox is for a program that is named by a path, as './%s'"), word);
    if (sandbox && geteuid() != 0)
        return sl_error_set(error, SL_ERROR_FORBIDDEN,
                            _("the sandbox is for root to make; '--no-sandbox' runs a program as "
                              "you, without one"));
    if (!(is_path ? find_program(word, sandbox, ret, error)
                  : find_installed(ctl, word, &role, ret, error)))
        return FALSE;
    if (role == NULL)
        role = guess_role(ctl, word);
    if (role == NULL)
        return ctl_set_usage_error(
            error, _("say what '%s' is: --type=source or --type=destination"), word);
    ret->role = g_strdup(role);
    ret->trial = (CtlTrialTarget){ret->role, ret->launch, ret->program, ret->manifest};
    return TRUE;
}

void
ctl_target_clear(CtlTarget *target)
{
    g_free(target->role);
    g_free(target->launch);
    g_free(target->program);
    g_free(target->manifest);
}

gboolean
ctl_target_read_option(Ctl *ctl, CtlOptionId id, char **ret, GError **error)
{
    const char *path = ctl_option(ctl, id);
    gsize len;
    *ret = NULL;
    if (path == NULL)
        return TRUE;
    g_autofree char *text = ctl_read_file(path, &len, error);
    g_autoptr(SlJsonDoc) doc = text != NULL ? sl_json_read(text, len, NULL, error) : NULL;
    if (doc == NULL) {
        if (text != NULL)
            g_prefix_error(error, "'%s': ", path);
        return FALSE;
    }
    *ret = g_steal_pointer(&text);
    return TRUE;
}
