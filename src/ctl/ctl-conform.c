/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#include "ctl-target.h"
#include "ctl-text.h"
#include "ctl-trace.h"
#include "sl-error.h"
#include "sl-schema.h"

/* 'sluicectl connector test': a list of what Sluice, and every platform of the protocol, expects of
 * a connector, each point a row of the table at the end. */

#define STEP_TIMEOUT_SEC 600

typedef enum { PASSED, FAILED, SKIPPED } Verdict;

/* What was found out by the points before. */
typedef struct {
    const CtlTarget *target;
    char *config, *bad_config, *catalog;
    CtlTrace *spec, *discover, *read;
    CtlTrialEnd end; /* of the run before */
    guint counts[3];
} Conform;

/* Why a point failed or was skipped, set by whoever finds it out. */
typedef Verdict (*Point)(Conform *c, GString *why);

G_GNUC_PRINTF(3, 4)
static Verdict
verdict(Verdict result, GString *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_string_append_vprintf(why, format, args);
    va_end(args);
    return result;
}

static gboolean
on_line(gboolean is_stderr, const char *line, gsize len, gpointer data)
{
    g_autoptr(GString) out = g_string_new(NULL);
    if (!is_stderr)
        ctl_trace_add(data, line, len, out);
    return TRUE;
}

static void
describe_end(const CtlTrace *trace, const CtlTrialEnd *end, GString *why)
{
    if (end->timed_out)
        g_string_append_printf(why, _("it did not end within %d s"), STEP_TIMEOUT_SEC);
    else if (end->signum != 0)
        g_string_append_printf(why, _("it was killed by signal %d"), end->signum);
    else
        g_string_append_printf(why, _("its exit status is %d"), end->exit_code);
    if (trace->error != NULL)
        g_string_append_printf(why, ": %s", trace->error);
}

/* Runs a command; NULL: it could not be run, was interrupted, or broke the protocol. */
static CtlTrace *
say(Conform *c, CtlTrial trial, GString *why)
{
    g_autoptr(CtlTrace) trace = ctl_trace_new(0, FALSE);
    g_autoptr(GError) error = NULL;
    trial.target = &c->target->trial;
    trial.timeout_sec = STEP_TIMEOUT_SEC;
    if (trial.line == NULL) {
        trial.line = on_line;
        trial.data = trace;
    }
    if (!ctl_trial_run(&trial, &c->end, &error)) {
        g_string_append(why, error->message);
        return NULL;
    }
    if (c->end.interrupted)
        g_string_append(why, _("interrupted"));
    else if (trace->faults->len > 0)
        g_string_append(why, trace->faults->pdata[0]);
    else
        return g_steal_pointer(&trace);
    return NULL;
}

/* The same, and it must end with 0. */
static CtlTrace *
say_well(Conform *c, CtlTrial trial, GString *why)
{
    g_autoptr(CtlTrace) trace = say(c, trial, why);
    if (trace == NULL || c->end.exit_code == 0)
        return g_steal_pointer(&trace);
    describe_end(trace, &c->end, why);
    return NULL;
}

/* --- the specification and the configuration ---------------------------------------------------
 */

static Verdict
point_spec(Conform *c, GString *why)
{
    c->spec = say_well(c, (CtlTrial){.command = "spec"}, why);
    if (c->spec == NULL)
        return FAILED;
    if (c->spec->n_specs != 1)
        return verdict(FAILED, why, _("it gave %u messages of type SPEC, not one"),
                       c->spec->n_specs);
    return PASSED;
}

/* The schema of configurations, as text. */
static char *
connection_schema(Conform *c, GString *why)
{
    const char *text = c->spec != NULL && c->spec->spec != NULL ? c->spec->spec : "{}";
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, NULL);
    const SlJsonNode *schema = sl_json_get(doc, sl_json_root(doc), "connectionSpecification");
    if (schema != NULL && schema->type == SL_JSON_OBJECT)
        return sl_json_dup_span(schema);
    g_string_append(why, _("the specification has no object 'connectionSpecification'"));
    return NULL;
}

static Verdict
point_schema(Conform *c, GString *why)
{
    g_autofree char *text = connection_schema(c, why);
    g_autoptr(GError) error = NULL;
    g_autoptr(SlSchema) schema =
        text != NULL ? sl_schema_compile(text, strlen(text), NULL, &error) : NULL;
    if (error != NULL)
        return verdict(FAILED, why, "connectionSpecification: %s", error->message);
    return schema != NULL ? PASSED : FAILED;
}

/* Is the value valid? The first fault otherwise. */
static gboolean
fits(const char *schema_text, const char *name, const char *value, GString *why)
{
    SlSchemaSource lenient = {.lenient = TRUE};
    g_autoptr(SlSchema) schema =
        sl_schema_compile(schema_text, strlen(schema_text), &lenient, NULL);
    g_autoptr(SlJsonDoc) doc = sl_json_read(value, strlen(value), NULL, NULL);
    g_autoptr(GPtrArray) faults = NULL;
    SlSchemaAsk ask = {.root = name, .max_faults = 1};
    if (schema == NULL || doc == NULL ||
        sl_schema_validate(schema, doc, sl_json_root(doc), &ask, &faults, NULL))
        return TRUE;
    const SlSchemaFault *first = faults != NULL && faults->len > 0 ? faults->pdata[0] : NULL;
    g_string_append_printf(why, "%s: %s", first != NULL ? first->path : name,
                           first != NULL ? first->reason : _("not valid"));
    return FALSE;
}

static Verdict
point_config(Conform *c, GString *why)
{
    if (c->config == NULL)
        return verdict(SKIPPED, why, _("needs --config=FILE"));
    g_autofree char *schema = connection_schema(c, why);
    return schema != NULL && fits(schema, "configuration", c->config, why) ? PASSED : FAILED;
}

/* --- check -------------------------------------------------------------------------------------
 */

static Verdict
point_check(Conform *c, GString *why)
{
    if (c->config == NULL)
        return verdict(SKIPPED, why, _("needs --config=FILE"));
    g_autoptr(CtlTrace) trace =
        say_well(c, (CtlTrial){.command = "check", .config = c->config}, why);
    if (trace == NULL)
        return FAILED;
    if (trace->status == NULL)
        return verdict(FAILED, why, _("it gave no CONNECTION_STATUS"));
    if (strcmp(trace->status, "SUCCEEDED") != 0)
        return verdict(FAILED, why, "%s: %s", trace->status, trace->status_message);
    return PASSED;
}

/* An empty configuration is bad when something is required. */
static Verdict
point_check_bad(Conform *c, GString *why)
{
    g_autofree char *schema = connection_schema(c, why);
    g_autoptr(GString) ignored = g_string_new(NULL);
    const char *config = c->bad_config != NULL ? c->bad_config : "{}";
    g_string_truncate(why, 0);
    if (c->bad_config == NULL && (schema == NULL || fits(schema, "configuration", "{}", ignored)))
        return verdict(SKIPPED, why,
                       _("'{}' is no bad configuration of it; needs --bad-config=FILE"));
    g_autoptr(CtlTrace) trace = say(c, (CtlTrial){.command = "check", .config = config}, why);
    if (trace == NULL)
        return FAILED;
    if (g_strcmp0(trace->status, "SUCCEEDED") == 0)
        return verdict(FAILED, why, _("it says SUCCEEDED"));
    if (trace->status == NULL && trace->error == NULL)
        return verdict(FAILED, why,
                       _("it says neither by CONNECTION_STATUS nor by TRACE what is "
                         "wrong; exit status %d"),
                       c->end.exit_code);
    if (trace->status == NULL && c->end.exit_code == 0)
        return verdict(FAILED, why, _("it gave a TRACE of type ERROR and ended with 0"));
    return PASSED;
}

static Verdict
point_unknown(Conform *c, GString *why)
{
    g_autoptr(CtlTrace) trace = say(c, (CtlTrial){.command = "sluice-no-such-command"}, why);
    if (trace == NULL)
        return FAILED;
    return c->end.exit_code != 0 ? PASSED : verdict(FAILED, why, _("it ended with 0"));
}

/* --- sources -----------------------------------------------------------------------------------
 */

static const char *
fault_of_stream(const SlJsonDoc *doc, const SlJsonNode *stream)
{
    const SlJsonNode *schema = sl_json_get(doc, stream, "json_schema");
    const SlJsonNode *modes = sl_json_get(doc, stream, "supported_sync_modes");
    g_autofree char *text = schema != NULL ? sl_json_dup_span(schema) : NULL;
    if (schema == NULL || schema->type != SL_JSON_OBJECT)
        return _("its json_schema is no object");
    if (modes == NULL || modes->type != SL_JSON_ARRAY || modes->count == 0)
        return _("its supported_sync_modes are missing or empty");
    SL_JSON_FOREACH (doc, modes, mode)
        if (!sl_json_string_is(mode, "full_refresh") && !sl_json_string_is(mode, "incremental"))
            return _("its supported_sync_modes hold an unknown mode");
    g_autoptr(SlSchema) compiled = sl_schema_compile(text, strlen(text), NULL, NULL);
    return compiled != NULL ? NULL : _("its json_schema is no JSON Schema");
}

static Verdict
point_discover(Conform *c, GString *why)
{
    if (c->config == NULL)
        return verdict(SKIPPED, why, _("needs --config=FILE"));
    c->discover = say_well(c, (CtlTrial){.command = "discover", .config = c->config}, why);
    if (c->discover == NULL)
        return FAILED;
    if (c->discover->n_catalogs != 1)
        return verdict(FAILED, why, _("it gave %u messages of type CATALOG, not one"),
                       c->discover->n_catalogs);
    g_autoptr(SlJsonDoc) doc =
        sl_json_read(c->discover->catalog, strlen(c->discover->catalog), NULL, NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const SlJsonNode *streams = sl_json_get(doc, sl_json_root(doc), "streams");
    if (streams->count == 0)
        return verdict(FAILED, why, _("there are no streams"));
    SL_JSON_FOREACH (doc, streams, stream) {
        g_autofree char *name = ctl_json_string(doc, stream, "name");
        g_autofree char *name_space = ctl_json_string(doc, stream, "namespace");
        const char *fault = *name == '\0' ? _("it has no name") : fault_of_stream(doc, stream);
        if (fault != NULL)
            return verdict(FAILED, why, _("stream '%s': %s"), name, fault);
        if (!g_hash_table_add(seen, g_strconcat(name_space, "\001", name, NULL)))
            return verdict(FAILED, why, _("stream '%s' is there twice"), name);
    }
    c->catalog = ctl_trace_configure(c->discover->catalog, NULL);
    return PASSED;
}

/* The json_schema of the stream with that title, as text. */
static char *
schema_of(Conform *c, const char *title)
{
    g_autoptr(SlJsonDoc) doc =
        sl_json_read(c->discover->catalog, strlen(c->discover->catalog), NULL, NULL);
    SL_JSON_FOREACH (doc, sl_json_get(doc, sl_json_root(doc), "streams"), stream) {
        g_autofree char *name = ctl_json_string(doc, stream, "name");
        g_autofree char *name_space = ctl_json_string(doc, stream, "namespace");
        g_autofree char *own = g_strconcat(name_space, *name_space != '\0' ? "." : "", name, NULL);
        if (strcmp(own, title) == 0)
            return sl_json_dup_span(sl_json_get(doc, stream, "json_schema"));
    }
    return NULL;
}

static Verdict
point_read(Conform *c, GString *why)
{
    if (c->catalog == NULL)
        return verdict(SKIPPED, why, _("there is no catalog"));
    c->read =
        say_well(c, (CtlTrial){.command = "read", .config = c->config, .catalog = c->catalog}, why);
    if (c->read == NULL)
        return FAILED;
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, c->read->streams);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const CtlTraceStream *stream = value;
        g_autofree char *schema = schema_of(c, key);
        g_autoptr(GString) fault = g_string_new(NULL);
        if (schema == NULL)
            return verdict(FAILED, why, _("stream '%s' is not in the catalog"), (char *)key);
        if (stream->first != NULL && !fits(schema, "data", stream->first, fault))
            return verdict(FAILED, why,
                           _("the first record of stream '%s' is not as its json_schema "
                             "says: %s"),
                           (char *)key, fault->str);
    }
    return PASSED;
}

static Verdict
point_read_again(Conform *c, GString *why)
{
    if (c->read == NULL)
        return verdict(SKIPPED, why, _("there was no read"));
    g_autoptr(CtlTrace) again =
        say_well(c, (CtlTrial){.command = "read", .config = c->config, .catalog = c->catalog}, why);
    if (again == NULL)
        return FAILED;
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, c->read->streams);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const CtlTraceStream *before = value, *now = g_hash_table_lookup(again->streams, key);
        guint64 records = now != NULL ? now->records : 0;
        if (records < before->records)
            return verdict(
                FAILED, why,
                _("stream '%s': %" G_GUINT64_FORMAT " records, and %" G_GUINT64_FORMAT " before"),
                (char *)key, records, before->records);
    }
    return PASSED;
}

static Verdict
point_resume(Conform *c, GString *why)
{
    g_autofree char *state = c->read != NULL ? ctl_trace_state_file(c->read) : NULL;
    if (state == NULL)
        return verdict(SKIPPED, why, _("it gave no states"));
    g_autoptr(CtlTrace) on = say_well(
        c,
        (CtlTrial){.command = "read", .config = c->config, .catalog = c->catalog, .state = state},
        why);
    if (on == NULL)
        return FAILED;
    if (on->records > c->read->records)
        return verdict(FAILED, why,
                       _("from its last states it gave %" G_GUINT64_FORMAT
                         " records, more than the %" G_GUINT64_FORMAT " there are"),
                       on->records, c->read->records);
    return PASSED;
}

static gboolean
stop_at_first(gboolean is_stderr, const char *line, gsize len, gpointer data)
{
    return FALSE;
}

static Verdict
point_signal(Conform *c, GString *why)
{
    if (c->catalog == NULL)
        return verdict(SKIPPED, why, _("there is no catalog"));
    g_autoptr(CtlTrace) trace = say(
        c,
        (CtlTrial){
            .command = "read", .config = c->config, .catalog = c->catalog, .line = stop_at_first},
        why);
    if (trace == NULL)
        return FAILED;
    if (c->end.term_usec == 0)
        return verdict(SKIPPED, why, _("it had ended before the signal came"));
    return c->end.killed ? verdict(FAILED, why, _("5 s after SIGTERM it still ran")) : PASSED;
}

/* --- destinations ------------------------------------------------------------------------------
 */

#define STREAM "sluice_connector_test"
#define STATE                                                                                      \
    "{\"type\":\"STREAM\",\"stream\":{\"stream_descriptor\":{\"name\":\"" STREAM "\"},"            \
    "\"stream_state\":{\"cursor\":3}},\"sourceStats\":{\"recordCount\":3.0},\"id\":1}"
#define RECORD(id)                                                                                 \
    "{\"type\":\"RECORD\",\"record\":{\"stream\":\"" STREAM "\",\"data\":{\"id\":" id              \
    ",\"name\":\"number " id "\"},\"emitted_at\":1700000000000}}\n"

static const char write_catalog[] =
    "{\"streams\":[{\"stream\":{\"name\":\"" STREAM "\",\"json_schema\":{\"type\":\"object\","
    "\"properties\":{\"id\":{\"type\":\"integer\"},\"name\":{\"type\":\"string\"}}},"
    "\"supported_sync_modes\":[\"full_refresh\"]},\"sync_mode\":\"full_refresh\","
    "\"destination_sync_mode\":\"append\",\"generation_id\":0,\"minimum_generation_id\":0,"
    "\"sync_id\":1}]}";
static const char write_input[] = RECORD("1") RECORD("2") RECORD(
    "3") "{\"type\":\"STATE\",\"state\":" STATE "}\n"
         "{\"type\":\"TRACE\",\"trace\":{\"type\":\"STREAM_STATUS\",\"emitted_at\":1700000000000,"
         "\"stream_status\":{\"stream_descriptor\":{\"name\":\"" STREAM
         "\"},\"status\":\"COMPLETE\"}}}\n";

static Verdict
point_write(Conform *c, GString *why)
{
    if (c->config == NULL)
        return verdict(SKIPPED, why, _("needs --config=FILE"));
    c->read = say_well(c,
                       (CtlTrial){.command = "write",
                                  .config = c->config,
                                  .catalog = write_catalog,
                                  .input_text = write_input},
                       why);
    return c->read != NULL ? PASSED : FAILED;
}

static Verdict
point_echo(Conform *c, GString *why)
{
    if (c->read == NULL)
        return verdict(SKIPPED, why, _("there was no write"));
    if (c->read->states != 1)
        return verdict(FAILED, why, _("it gave %" G_GUINT64_FORMAT " states back, not the one"),
                       c->read->states);
    const char *key = c->read->order->len > 0 ? c->read->order->pdata[0] : "";
    const char *state = g_hash_table_lookup(c->read->last_states, key);
    g_autoptr(SlJsonDoc) doc =
        state != NULL ? sl_json_read(state, strlen(state), NULL, NULL) : NULL;
    const SlJsonNode *id = doc != NULL ? sl_json_get(doc, sl_json_root(doc), "id") : NULL;
    const SlJsonNode *cursor = doc != NULL ? sl_json_get_path(doc, sl_json_root(doc), "stream",
                                                              "stream_state", "cursor", NULL)
                                           : NULL;
    gint64 number;
    if (cursor == NULL || !sl_json_get_int64(cursor, &number) || number != 3)
        return verdict(FAILED, why, _("it is another one: %s"), state != NULL ? state : "");
    if (id == NULL || !sl_json_get_int64(id, &number) || number != 1)
        return verdict(FAILED, why, _("it has lost the member 'id'"));
    return PASSED;
}

/* --- the list ----------------------------------------------------------------------------------
 */

static const struct {
    const char *title, *role; /* NULL: of both */
    Point point;
} points[] = {
    {N_("spec gives one specification"), NULL, point_spec},
    {N_("the specification holds a JSON Schema"), NULL, point_schema},
    {N_("the configuration fits it"), NULL, point_config},
    {N_("an unknown command is an error"), NULL, point_unknown},
    {N_("check succeeds"), NULL, point_check},
    {N_("check fails with a bad configuration, and says why"), NULL, point_check_bad},
    {N_("discover gives one sound catalog"), "source", point_discover},
    {N_("read gives records of that catalog"), "source", point_read},
    {N_("read gives them again"), "source", point_read_again},
    {N_("read goes on from its states"), "source", point_resume},
    {N_("read ends on SIGTERM"), "source", point_signal},
    {N_("write takes records"), "destination", point_write},
    {N_("write gives the state back, unchanged"), "destination", point_echo},
};

/* FALSE: interrupted. */
static gboolean
judge(Conform *c, gsize i, Ctl *ctl)
{
    const char *const words[] = {_("ok"), _("FAILED"), _("skipped")};
    g_autoptr(GString) why = g_string_new(NULL);
    Verdict result = points[i].point(c, why);
    c->counts[result]++;
    if (ctl->quiet && result != FAILED)
        return !c->end.interrupted;
    g_autofree char *clean = ctl_text_clean(why->str, -1);
    printf("%-8s %s%s%s\n", words[result], _(points[i].title), *clean != '\0' ? ": " : "", clean);
    fflush(stdout);
    return !c->end.interrupted;
}

static void
conform_clear(Conform *c)
{
    g_free(c->config);
    g_free(c->bad_config);
    g_free(c->catalog);
    ctl_trace_free(c->spec);
    ctl_trace_free(c->discover);
    ctl_trace_free(c->read);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Conform, conform_clear)

CtlExit
ctl_run_connector_test(Ctl *ctl, GError **error)
{
    g_auto(CtlTarget) target = {0};
    g_auto(Conform) c = {.target = &target};
    if (!ctl_target_find(ctl, ctl->args->args[0], NULL, &target, error) ||
        !ctl_target_read_option(ctl, CTL_OPT_CONFIG, &c.config, error) ||
        !ctl_target_read_option(ctl, CTL_OPT_BAD_CONFIG, &c.bad_config, error))
        return CTL_EXIT_FAILED;
    for (gsize i = 0; i < G_N_ELEMENTS(points); i++)
        if ((points[i].role == NULL || strcmp(points[i].role, target.role) == 0) &&
            !judge(&c, i, ctl))
            return CTL_EXIT_INTERRUPTED;
    ctl_say(ctl, _("%u ok, %u failed, %u skipped."), c.counts[PASSED], c.counts[FAILED],
            c.counts[SKIPPED]);
    return c.counts[FAILED] == 0 ? CTL_EXIT_OK : CTL_EXIT_FAILED;
}
