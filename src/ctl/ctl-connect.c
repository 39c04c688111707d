/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <fnmatch.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#include "ctl-object.h"
#include "ctl-schedule.h"
#include "ctl-text.h"
#include "sl-error.h"
#include "sl-json-write.h"

/* The words of --mode and the API's. */
static const struct {
    const char *word;
    const char *mode;
} modes[] = {
    {"overwrite", "full_refresh_overwrite"},
    {"append", "full_refresh_append"},
    {"append-dedup", "incremental_deduped_history"},
    {"overwrite-dedup", "full_refresh_overwrite_deduped"},
    {"incremental-append", "incremental_append"},
};

static const char *
api_mode(const char *word)
{
    for (gsize i = 0; word != NULL && i < G_N_ELEMENTS(modes); i++)
        if (strcmp(modes[i].word, word) == 0)
            return modes[i].mode;
    return NULL;
}

static gboolean
offers_mode(const SlJsonDoc *doc, const SlJsonNode *stream, const char *mode)
{
    const SlJsonNode *list = sl_json_get(doc, stream, "syncModes");
    if (list == NULL || list->type != SL_JSON_ARRAY)
        return FALSE;
    SL_JSON_FOREACH (doc, list, one) {
        if (sl_json_string_is(one, mode))
            return TRUE;
    }
    return FALSE;
}

static gboolean
has_elements(const SlJsonDoc *doc, const SlJsonNode *stream, const char *key)
{
    const SlJsonNode *list = sl_json_get(doc, stream, key);
    return list != NULL && list->type == SL_JSON_ARRAY && list->count > 0;
}

/* What serves most people: only what is new, one row per key; else all of it, anew. */
static const char *
choose_mode(const SlJsonDoc *doc, const SlJsonNode *stream)
{
    gboolean cursor = has_elements(doc, stream, "defaultCursorField") ||
                      ctl_json_bool(doc, stream, "sourceDefinedCursorField");
    if (cursor && has_elements(doc, stream, "sourceDefinedPrimaryKey") &&
        offers_mode(doc, stream, "incremental_deduped_history"))
        return "incremental_deduped_history";
    return "full_refresh_overwrite";
}

static gboolean
is_wanted(char **globs, const char *namespace, const char *name)
{
    g_autofree char *whole = g_strjoin(".", namespace, name, NULL);
    for (guint i = 0; globs != NULL && globs[i] != NULL; i++)
        if (fnmatch(globs[i], name, 0) == 0 || fnmatch(globs[i], whole, 0) == 0)
            return TRUE;
    return globs == NULL;
}

static gboolean
add_stream(Ctl *ctl, SlJsonWriter *w, const SlJsonDoc *doc, const SlJsonNode *stream,
           const char *name, const char *namespace, GError **error)
{
    const char *word = ctl_option(ctl, CTL_OPT_MODE);
    const char *mode = api_mode(word);
    if (mode == NULL)
        mode = choose_mode(doc, stream);
    else if (sl_json_get(doc, stream, "syncModes") != NULL && !offers_mode(doc, stream, mode) &&
             strcmp(mode, "full_refresh_overwrite_deduped") != 0)
        return sl_error_set(error, SL_ERROR_INVALID,
                            _("stream '%s' cannot be synced in mode '%s' to this destination"),
                            name, word);
    sl_json_begin_object(w);
    sl_json_member_string(w, "name", name);
    if (*namespace != '\0')
        sl_json_member_string(w, "namespace", namespace);
    sl_json_member_string(w, "syncMode", mode);
    sl_json_end_object(w);
    return TRUE;
}

static char *
list_names(const SlJsonDoc *doc, const SlJsonNode *streams)
{
    g_autoptr(GString) names = g_string_new(NULL);
    guint n = 0;
    SL_JSON_FOREACH (doc, streams, stream) {
        g_autofree char *name = ctl_json_string(doc, stream, "streamName");
        if (n++ < 20)
            g_string_append_printf(names, "%s%s", n > 1 ? ", " : "", name);
    }
    if (n > 20)
        g_string_append(names, ", …");
    return ctl_text_clean(names->str, -1);
}

/* Writes the array of streams; *ret_n is how many. */
static gboolean
write_streams(Ctl *ctl, SlJsonWriter *w, const SlJsonDoc *doc, guint *ret_n, GError **error)
{
    const char *patterns = ctl_option(ctl, CTL_OPT_STREAMS);
    const SlJsonNode *streams = sl_json_root(doc);
    g_auto(GStrv) globs = patterns != NULL ? g_strsplit(patterns, ",", -1) : NULL;
    *ret_n = 0;
    sl_json_begin_array(w);
    SL_JSON_FOREACH (doc, streams, stream) {
        g_autofree char *name = ctl_json_string(doc, stream, "streamName");
        g_autofree char *namespace = ctl_json_string(doc, stream, "streamnamespace");
        if (!is_wanted(globs, namespace, name))
            continue;
        if (!add_stream(ctl, w, doc, stream, name, namespace, error))
            return FALSE;
        (*ret_n)++;
    }
    sl_json_end_array(w);
    if (*ret_n > 0)
        return TRUE;
    g_autofree char *names = list_names(doc, streams);
    if (patterns == NULL)
        return sl_error_set(error, SL_ERROR_UNPROCESSABLE, _("the source has no streams"));
    return sl_error_set(error, SL_ERROR_NOT_FOUND, _("no stream matches '%s'; the source has: %s"),
                        patterns, names);
}

static SlJsonDoc *
discover(Ctl *ctl, const CtlObject *source, const CtlObject *destination, GError **error)
{
    g_autofree char *path = g_strdup_printf(CTL_PUBLIC "/streams?sourceId=%s&destinationId=%s",
                                            source->id, destination->id);
    g_autoptr(SlJsonDoc) doc =
        ctl_api_call(ctl->api, "GET", path, NULL, CTL_DEADLINE_CONNECTOR, error);
    if (doc == NULL) {
        g_prefix_error(error, _("the streams of source '%s' cannot be read: "), source->name);
        return NULL;
    }
    if (sl_json_root(doc)->type != SL_JSON_ARRAY) {
        sl_error_set(error, SL_ERROR_PROTOCOL, _("GET %s: the answer is no array"), path);
        return NULL;
    }
    return g_steal_pointer(&doc);
}

/* One of the two: seconds of a basic schedule (ours), or the API's own object. */
typedef struct {
    gint64 every;
    char *json;
} Schedule;

static gboolean
read_schedule(const Ctl *ctl, Schedule *ret, GError **error)
{
    const char *every = ctl_option(ctl, CTL_OPT_EVERY), *cron = ctl_option(ctl, CTL_OPT_CRON);
    if (every != NULL && cron != NULL)
        return ctl_set_usage_error(error, _("'--every' and '--cron' do not go together"));
    ret->every = ctl_schedule_seconds(every, error);
    ret->json = ret->every >= 0 ? ctl_schedule_build(cron, error) : NULL;
    return ret->json != NULL;
}

static char *
connect_body(Ctl *ctl, const CtlObject *source, const CtlObject *destination, const char *name,
             const Schedule *schedule, guint *ret_streams, GError **error)
{
    const char *format = ctl_option(ctl, CTL_OPT_NAMESPACE);
    const char *prefix = ctl_option(ctl, CTL_OPT_PREFIX);
    g_autoptr(SlJsonDoc) streams = discover(ctl, source, destination, error);
    if (streams == NULL)
        return NULL;
    g_autoptr(GString) body = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(body);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "name", name);
    sl_json_member_string(&w, "sourceId", source->id);
    sl_json_member_string(&w, "destinationId", destination->id);
    if (schedule->every > 0)
        sl_json_member_int(&w, "sluiceScheduleSeconds", schedule->every);
    else
        sl_json_member_raw(&w, "schedule", schedule->json);
    if (prefix != NULL)
        sl_json_member_string(&w, "prefix", prefix);
    if (format != NULL) {
        sl_json_member_string(&w, "namespaceDefinition", "custom_format");
        sl_json_member_string(&w, "namespaceFormat", format);
    }
    sl_json_key(&w, "configurations");
    sl_json_begin_object(&w);
    sl_json_key(&w, "streams");
    if (!write_streams(ctl, &w, streams, ret_streams, error))
        return NULL;
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    return g_strdup(body->str);
}

static gboolean
check_name(Ctl *ctl, const GPtrArray *objects, const char *name, GError **error)
{
    for (guint i = 0; i < objects->len; i++) {
        const CtlObject *object = g_ptr_array_index(objects, i);
        if (object->kind == CTL_CONNECTION && strcmp(object->name, name) == 0)
            return sl_error_set(error, SL_ERROR_EXISTS,
                                _("there is a connection '%s' already; --name= gives this one "
                                  "another name"),
                                name);
    }
    return TRUE;
}

static CtlExit
send(Ctl *ctl, const char *name, const char *body, guint n_streams, GError **error)
{
    if (ctl_option(ctl, CTL_OPT_DRY_RUN) != NULL) {
        puts(body);
        return CTL_EXIT_OK;
    }
    g_autoptr(SlJsonDoc) doc = ctl_api_call(ctl->api, "POST", ctl_kind_path(CTL_CONNECTION), body,
                                            CTL_DEADLINE_CONNECTOR, error);
    if (doc == NULL) {
        g_prefix_error(error, _("connection '%s' was not created: "), name);
        return CTL_EXIT_FAILED;
    }
    g_autofree char *id = ctl_json_string(doc, sl_json_root(doc), "connectionId");
    ctl_say(ctl,
            ngettext("Created connection '%s' of %u stream, %s.",
                     "Created connection '%s' of %u streams, %s.", n_streams),
            name, n_streams, id);
    return CTL_EXIT_OK;
}

static CtlExit
connect_with(Ctl *ctl, const Schedule *schedule, GError **error)
{
    guint n_streams = 0;
    g_autoptr(GPtrArray) objects = ctl_object_list(ctl, CTL_KINDS_NAMED, error);
    if (objects == NULL)
        return CTL_EXIT_FAILED;
    g_autofree char *source_word = ctl_object_word(CTL_SOURCE, ctl->args->args[0]);
    g_autofree char *destination_word = ctl_object_word(CTL_DESTINATION, ctl->args->args[1]);
    const CtlObject *source = ctl_object_pick(objects, CTL_KINDS_NAMED, source_word, error);
    const CtlObject *destination =
        source != NULL ? ctl_object_pick(objects, CTL_KINDS_NAMED, destination_word, error) : NULL;
    if (destination == NULL)
        return CTL_EXIT_FAILED;
    const char *given = ctl_option(ctl, CTL_OPT_NAME);
    g_autofree char *name =
        given != NULL ? g_strdup(given) : g_strdup_printf("%s-%s", source->name, destination->name);
    if (!check_name(ctl, objects, name, error))
        return CTL_EXIT_FAILED;
    g_autofree char *body =
        connect_body(ctl, source, destination, name, schedule, &n_streams, error);
    return body != NULL ? send(ctl, name, body, n_streams, error) : CTL_EXIT_FAILED;
}

CtlExit
ctl_run_connect(Ctl *ctl, GError **error)
{
    Schedule schedule = {0};
    if (!read_schedule(ctl, &schedule, error))
        return CTL_EXIT_USAGE;
    CtlExit status = connect_with(ctl, &schedule, error);
    g_free(schedule.json);
    return status;
}
