/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-engine-private.h"

#include <string.h>

#include "sl-error.h"
#include "sl-init-wire.h"
#include "sl-json-write.h"

#define DEFAULT_PIDS 512
#define DEFAULT_TMP_BYTES (64 * 1024 * 1024)

/* --- create -------------------------------------------------------------------------------- */

/* Letters, digits, "_.-": what engines take as name of a container or network. */
static gboolean
is_name(const char *name)
{
    if (!g_ascii_isalnum(name[0]))
        return FALSE;
    for (const char *c = name; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c) && strchr("_.-", *c) == NULL)
            return FALSE;
    return strlen(name) <= 128;
}

static gboolean
check_container(const SlEngineContainer *container, GError **error)
{
    if (!sl_engine_check_reference(container->image, error))
        return FALSE;
    /* "host", "container:ID", "ns:PATH": another's network. */
    if (container->network != NULL &&
        ((strcmp(container->network, "host") == 0 && !container->host_network) ||
         !is_name(container->network)))
        return sl_error_set(error, SL_ERROR_FORBIDDEN, "network: '%s' is not for a connector",
                            container->network);
    for (gsize i = 0; i < container->n_mounts; i++)
        if (container->mounts[i].source[0] != '/' || container->mounts[i].target[0] != '/')
            return sl_error_set(error, SL_ERROR_INVALID, "mount: '%s' on '%s' is not absolute",
                                container->mounts[i].source, container->mounts[i].target);
    if (container->memory_bytes < 0 || container->nano_cpus < 0 || container->pids < 0 ||
        container->tmp_bytes < 0)
        return sl_error_set(error, SL_ERROR_INVALID, "a limit is negative");
    return TRUE;
}

static void
print_strings(SlJsonWriter *w, const char *key, const char *const *list)
{
    if (list == NULL)
        return;
    sl_json_key(w, key);
    sl_json_strings(w, list);
}

/* Mounts, not Binds: these fail when the source is missing, those would make it. */
static void
print_mounts(SlJsonWriter *w, const SlEngineContainer *container)
{
    sl_json_key(w, "Mounts");
    sl_json_begin_array(w);
    for (gsize i = 0; i < container->n_mounts; i++) {
        sl_json_begin_object(w);
        sl_json_member_string(w, "Type", "bind");
        sl_json_member_string(w, "Source", container->mounts[i].source);
        sl_json_member_string(w, "Target", container->mounts[i].target);
        sl_json_member_bool(w, "ReadOnly", !container->mounts[i].writable);
        sl_json_end_object(w);
    }
    sl_json_end_array(w);
}

/* Said always: Podman's own defaults are over the hard limits of many hosts, and it then starts
 * nothing. Processes are bounded by PidsLimit; this one counts all of a user's on the host. */
static const struct {
    const char *name;
    gint64 value;
} ulimits[] = {{"nofile", 4096}, {"nproc", 16384}};

static void
print_limits(SlJsonWriter *w, const SlEngineContainer *container)
{
    sl_json_member_int(w, "PidsLimit", container->pids > 0 ? container->pids : DEFAULT_PIDS);
    if (container->memory_bytes > 0) {
        sl_json_member_int(w, "Memory", container->memory_bytes);
        sl_json_member_int(w, "MemorySwap", container->memory_bytes);
    }
    if (container->nano_cpus > 0)
        sl_json_member_int(w, "NanoCpus", container->nano_cpus);
    sl_json_key(w, "Ulimits");
    sl_json_begin_array(w);
    for (gsize i = 0; i < G_N_ELEMENTS(ulimits); i++) {
        sl_json_begin_object(w);
        sl_json_member_string(w, "Name", ulimits[i].name);
        sl_json_member_int(w, "Soft", ulimits[i].value);
        sl_json_member_int(w, "Hard", ulimits[i].value);
        sl_json_end_object(w);
    }
    sl_json_end_array(w);
}

/* SL_INIT_FILES is a path that no image has: a tmpfs on an existing folder would take its mode and
 * belong to root. Secrets are written there by sluice-init, from inside. */
static void
print_tmpfs(SlJsonWriter *w, const SlEngineContainer *container)
{
    gint64 bytes = container->tmp_bytes > 0 ? container->tmp_bytes : DEFAULT_TMP_BYTES;
    g_autofree char *tmp =
        g_strdup_printf("rw,nosuid,nodev,size=%" G_GINT64_FORMAT ",mode=1777", bytes);
    sl_json_key(w, "Tmpfs");
    sl_json_begin_object(w);
    sl_json_member_string(w, "/tmp", tmp);
    sl_json_member_string(w, SL_INIT_FILES, "rw,nosuid,nodev,noexec,size=256m,mode=1777");
    sl_json_end_object(w);
}

static void
print_host_config(SlJsonWriter *w, const SlEngineContainer *container)
{
    static const char *const all[] = {"ALL", NULL};
    static const char *const security[] = {"no-new-privileges", NULL};
    static const char *const of_host[] = {"no-new-privileges", "apparmor=unconfined",
                                          "label=disable", NULL};

    sl_json_key(w, "HostConfig");
    sl_json_begin_object(w);
    sl_json_member_string(w, "NetworkMode",
                          container->network != NULL ? container->network : "none");
    sl_json_member_string(w, "CgroupParent", container->cgroup_parent);
    sl_json_member_string(w, "IpcMode", "private");
    sl_json_member_bool(w, "Privileged", FALSE);
    sl_json_member_bool(w, "ReadonlyRootfs", !container->writable_root);
    print_strings(w, "CapDrop", all);
    print_strings(w, "SecurityOpt", container->of_host ? of_host : security);
    sl_json_member_string(w, "PidMode", container->of_host ? "host" : NULL);
    sl_json_member_raw(w, "LogConfig", "{\"Type\":\"none\"}");
    sl_json_member_raw(w, "RestartPolicy", "{\"Name\":\"no\"}");
    sl_json_member_bool(w, "AutoRemove", FALSE); /* the exit status must survive */
    print_limits(w, container);
    print_tmpfs(w, container);
    print_mounts(w, container);
    sl_json_end_object(w);
}

char *
sl_engine_print_container(const SlEngineContainer *container, GError **error)
{
    if (!check_container(container, error))
        return NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "Image", container->image);
    print_strings(&w, "Entrypoint", container->entrypoint);
    print_strings(&w, "Cmd", container->cmd);
    print_strings(&w, "Env", container->env);
    sl_json_member_string(&w, "User", container->user);
    sl_json_member_string(&w, "WorkingDir", container->working_dir);
    static const char *const off[] = {"AttachStdin", "AttachStdout", "AttachStderr", "OpenStdin",
                                      "Tty"};
    for (gsize i = 0; i < G_N_ELEMENTS(off); i++)
        sl_json_member_bool(&w, off[i], FALSE);
    sl_json_key(&w, "Labels");
    sl_json_begin_object(&w);
    for (const char *const *label = container->labels; label != NULL && *label != NULL; label += 2)
        sl_json_member_string(&w, label[0], label[1]);
    sl_json_end_object(&w);
    print_host_config(&w, container);
    sl_json_end_object(&w);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

char *
sl_engine_create_container(SlEngine *engine, const char *name, const SlEngineContainer *container,
                           GError **error)
{
    if (!is_name(name)) {
        sl_error_set(error, SL_ERROR_INVALID, "'%s' is no name of a container", name);
        return NULL;
    }
    g_autofree char *body = sl_engine_print_container(container, error);
    if (body == NULL)
        return NULL;
    g_autofree char *what =
        g_strdup_printf("creating container '%s' of image '%s'", name, container->image);
    g_autofree char *path = g_strconcat("/containers/create?name=", name, NULL);
    const SlEngineCall call = {.method = "POST", .path = path, .what = what, .body = body};
    g_autoptr(SlJsonDoc) doc = NULL;
    if (!sl_engine_call(engine, &call, &doc, error))
        return NULL;
    g_autofree char *id = sl_engine_dup_member(doc, sl_json_root(doc), "Id");
    if (!is_name(id)) {
        sl_engine_set_error(engine, error, SL_ERROR_PROTOCOL, what, "the answer has no Id");
        return NULL;
    }
    return g_steal_pointer(&id);
}

/* --- what is done with one ----------------------------------------------------------------- */

/* METHOD /containers/ID + `rest`. */
static gboolean
act(SlEngine *engine, const char *method, const char *verb, const char *id, const char *rest,
    const guint *accept, SlJsonDoc **ret, GError **error)
{
    if (!is_name(id))
        return sl_error_set(error, SL_ERROR_INVALID, "'%s' is no id of a container", id);
    g_autofree char *what = g_strdup_printf("%s container '%s'", verb, id);
    g_autofree char *path = g_strdup_printf("/containers/%s%s", id, rest);
    const SlEngineCall call = {.method = method, .path = path, .what = what, .accept = accept};
    return sl_engine_call(engine, &call, ret, error);
}

gboolean
sl_engine_start_container(SlEngine *engine, const char *id, GError **error)
{
    static const guint accept[] = {304, 0}; /* it runs already */
    return act(engine, "POST", "starting", id, "/start", accept, NULL, error);
}

gboolean
sl_engine_kill_container(SlEngine *engine, const char *id, const char *signal, GError **error)
{
    static const guint accept[] = {404, 409, 0};
    if (!is_name(signal))
        return sl_error_set(error, SL_ERROR_INVALID, "'%s' is no signal", signal);
    g_autofree char *rest = g_strconcat("/kill?signal=", signal, NULL);
    g_autoptr(GError) local = NULL;
    if (act(engine, "POST", "killing", id, rest, accept, NULL, &local))
        return TRUE;
    /* Podman has 500 for one that has ended: only its state tells the two apart. */
    if (g_error_matches(local, SL_ERROR, SL_ERROR_FAILED)) {
        g_autoptr(SlEngineState) state = sl_engine_inspect_container(engine, id, NULL);
        if (state != NULL && !state->running)
            return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

gboolean
sl_engine_remove_container(SlEngine *engine, const char *id, GError **error)
{
    /* 409: somebody else is removing it. */
    static const guint accept[] = {404, 409, 0};
    return act(engine, "DELETE", "removing", id, "?force=1&v=1", accept, NULL, error);
}

gboolean
sl_engine_wait_container(SlEngine *engine, const char *id, gint64 deadline, gint64 *ret_exit_code,
                         GError **error)
{
    if (!is_name(id))
        return sl_error_set(error, SL_ERROR_INVALID, "'%s' is no id of a container", id);
    g_autofree char *what = g_strdup_printf("waiting for container '%s'", id);
    g_autofree char *path = g_strdup_printf("/containers/%s/wait", id);
    const SlEngineCall call = {
        .method = "POST", .path = path, .what = what, .deadline = deadline, .own_deadline = TRUE};
    g_autoptr(SlJsonDoc) doc = NULL;
    if (!sl_engine_call(engine, &call, &doc, error))
        return FALSE;
    if (!sl_json_get_int64(sl_json_get(doc, sl_json_root(doc), "StatusCode"), ret_exit_code))
        return sl_engine_set_error(engine, error, SL_ERROR_PROTOCOL, what,
                                   "the answer has no StatusCode");
    return TRUE;
}

void
sl_engine_state_free(SlEngineState *state)
{
    if (state == NULL)
        return;
    g_free(state->id);
    g_free(state->name);
    g_free(state->state);
    g_free(state->error);
    g_free(state);
}

SlEngineState *
sl_engine_inspect_container(SlEngine *engine, const char *id, GError **error)
{
    g_autoptr(SlJsonDoc) doc = NULL;
    if (!act(engine, "GET", "looking at", id, "/json", NULL, &doc, error))
        return NULL;
    const SlJsonNode *root = sl_json_root(doc);
    const SlJsonNode *node = sl_json_get(doc, root, "State");
    g_autoptr(SlEngineState) state = g_new0(SlEngineState, 1);
    state->id = sl_engine_dup_member(doc, root, "Id");
    g_autofree char *name = sl_engine_dup_member(doc, root, "Name");
    state->name = g_strdup(*name == '/' ? name + 1 : name);
    state->state = sl_engine_dup_member(doc, node, "Status");
    state->error = sl_engine_dup_member(doc, node, "Error");
    sl_json_get_boolean(sl_json_get(doc, node, "Running"), &state->running);
    sl_json_get_boolean(sl_json_get(doc, node, "OOMKilled"), &state->oom_killed);
    sl_json_get_int64(sl_json_get(doc, node, "ExitCode"), &state->exit_code);
    sl_json_get_int64(sl_json_get(doc, node, "Pid"), &state->pid);
    if (*state->id == '\0' || *state->state == '\0') {
        g_autofree char *what = g_strdup_printf("looking at container '%s'", id);
        sl_engine_set_error(engine, error, SL_ERROR_PROTOCOL, what, "the answer has no state");
        return NULL;
    }
    return g_steal_pointer(&state);
}

/* --- by label ------------------------------------------------------------------------------ */

/* filters={"label":[LABEL], "type":["container"]}, escaped. */
static char *
print_filters(const char *label, gboolean events)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(text);
    sl_json_begin_object(&w);
    print_strings(&w, "label", (const char *const[]){label, NULL});
    if (events)
        print_strings(&w, "type", (const char *const[]){"container", NULL});
    sl_json_end_object(&w);
    return g_uri_escape_string(text->str, NULL, FALSE);
}

char **
sl_engine_list_containers(SlEngine *engine, const char *label, GError **error)
{
    g_autofree char *filters = print_filters(label, FALSE);
    g_autofree char *path = g_strconcat("/containers/json?all=1&filters=", filters, NULL);
    g_autofree char *what = g_strdup_printf("listing containers with label '%s'", label);
    const SlEngineCall call = {.method = "GET", .path = path, .what = what};
    g_autoptr(SlJsonDoc) doc = NULL;
    if (!sl_engine_call(engine, &call, &doc, error))
        return NULL;
    if (sl_json_root(doc)->type != SL_JSON_ARRAY) {
        sl_engine_set_error(engine, error, SL_ERROR_PROTOCOL, what, "the answer is no list");
        return NULL;
    }
    g_autoptr(GStrvBuilder) list = g_strv_builder_new();
    SL_JSON_FOREACH (doc, sl_json_root(doc), child) {
        g_autofree char *id = sl_engine_dup_member(doc, child, "Id");
        if (*id != '\0')
            g_strv_builder_add(list, id);
    }
    return g_strv_builder_end(list);
}

gboolean
sl_engine_sweep_containers(SlEngine *engine, const char *label, const char *const *keep,
                           guint *ret_removed, GError **error)
{
    g_auto(GStrv) ids = sl_engine_list_containers(engine, label, error);
    g_autoptr(GError) first = NULL;
    guint removed = 0;
    if (ids == NULL)
        return FALSE;
    for (char **id = ids; *id != NULL; id++) {
        if (keep != NULL && g_strv_contains(keep, *id))
            continue;
        if (sl_engine_remove_container(engine, *id, first == NULL ? &first : NULL))
            removed++;
    }
    if (ret_removed != NULL)
        *ret_removed = removed;
    if (first == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&first));
    return FALSE;
}

typedef struct {
    SlEngineEventFunc func;
    gpointer user_data;
    gboolean enough;
} Watch;

static gboolean
take_event(SlEngine *engine G_GNUC_UNUSED, const char *line, gsize len, gpointer user_data,
           GError **error)
{
    Watch *watch = user_data;
    g_autoptr(SlJsonDoc) doc = sl_json_read(line, len, NULL, NULL);
    if (doc == NULL)
        return sl_error_set(error, SL_ERROR_PROTOCOL, "an event is no JSON");
    const SlJsonNode *root = sl_json_root(doc);
    g_autofree char *id =
        sl_json_dup_string(sl_json_get_path(doc, root, "Actor", "ID", (char *)NULL));
    g_autofree char *action = sl_engine_dup_member(doc, root, "Action");
    if (id == NULL || watch->func(id, action, watch->user_data))
        return TRUE;
    watch->enough = TRUE;
    return sl_error_set(error, SL_ERROR_CANCELLED, "enough");
}

gboolean
sl_engine_watch_containers(SlEngine *engine, const char *label, gint64 deadline,
                           SlEngineEventFunc func, gpointer user_data, GError **error)
{
    g_autofree char *filters = print_filters(label, TRUE);
    g_autofree char *path = g_strconcat("/events?filters=", filters, NULL);
    g_autofree char *what = g_strdup_printf("watching containers with label '%s'", label);
    Watch watch = {func, user_data, FALSE};
    const SlEngineCall call = {.method = "GET",
                               .path = path,
                               .what = what,
                               .deadline = deadline,
                               .own_deadline = TRUE,
                               .line = take_event,
                               .line_data = &watch};
    g_autoptr(GError) local = NULL;
    if (sl_engine_call(engine, &call, NULL, &local))
        return sl_engine_set_error(engine, error, SL_ERROR_UNAVAILABLE, what,
                                   "the engine ended the events");
    if (watch.enough)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}
