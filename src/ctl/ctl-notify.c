/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-object.h"
#include "ctl-text.h"
#include "sl-error.h"
#include "sl-json-write.h"
#include "sl-word.h"

/* Who is told of what, and whether it arrives. */

/* The events of a workspace: their names here and in the public API, and in the API that tries. */
static const struct {
    const char *name, *trigger;
} events[] = {
    {"success", "sync_success"},
    {"failure", "sync_failure"},
    {"connectionUpdate", "connection_update"},
    {"connectionUpdateActionRequired", "connection_update_action_required"},
    {"syncDisabled", "sync_disabled"},
    {"syncDisabledWarning", "sync_disabled_warning"},
};

static const CtlColumn columns[] = {
    {N_("EVENT"), 0},
    {N_("MAIL"), CTL_COLUMN_STATE},
    {N_("WEBHOOK"), CTL_COLUMN_SHRINK},
};

static SlJsonDoc *
load(Ctl *ctl, GError **error)
{
    const char *workspace = ctl_workspace(ctl, error);
    if (workspace == NULL)
        return NULL;
    g_autofree char *path = g_strconcat(CTL_PUBLIC "/workspaces/", workspace, NULL);
    return ctl_api_get(ctl->api, path, error);
}

static const SlJsonNode *
find_event(const SlJsonDoc *doc, guint i)
{
    return sl_json_get_path(doc, sl_json_root(doc), "notifications", events[i].name, NULL);
}

static gboolean
is_enabled(const SlJsonDoc *doc, const SlJsonNode *event, const char *channel)
{
    return ctl_json_bool(doc, sl_json_get(doc, event, channel), "enabled");
}

/* NULL: none, or it is switched off. */
static char *
webhook_of(const SlJsonDoc *doc, const SlJsonNode *event)
{
    if (!is_enabled(doc, event, "webhook"))
        return NULL;
    g_autofree char *url = ctl_json_string(doc, sl_json_get(doc, event, "webhook"), "url");
    return *url != '\0' ? g_steal_pointer(&url) : NULL;
}

/* Whoever has the whole address can write there: a terminal shows where it goes. */
static char *
shorten(const char *url)
{
    g_autoptr(GUri) uri = url != NULL ? g_uri_parse(url, G_URI_FLAGS_NONE, NULL) : NULL;
    const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;
    return host != NULL ? g_strdup_printf("%s://%s/…", g_uri_get_scheme(uri), host) : NULL;
}

/* Which of events[] a word means, as a bit each; "all": all. 0: an error. */
static guint
parse_event(const char *word, GError **error)
{
    const char *names[G_N_ELEMENTS(events) + 2] = {"all"};
    if (strcmp(word, "all") == 0)
        return (1u << G_N_ELEMENTS(events)) - 1;
    for (guint i = 0; i < G_N_ELEMENTS(events); i++) {
        if (g_ascii_strcasecmp(word, events[i].name) == 0)
            return 1u << i;
        names[i + 1] = events[i].name;
    }
    const char *nearest = sl_word_nearest(word, names);
    g_autofree char *list = g_strjoinv(", ", (char **)names);
    if (nearest != NULL)
        ctl_set_usage_error(error, _("there is no event '%s'; did you mean '%s'?"), word, nearest);
    else
        ctl_set_usage_error(error, _("there is no event '%s'; it is one of %s"), word, list);
    return 0;
}

/* --- notifications list ------------------------------------------------------------------------
 */

CtlExit
ctl_run_notifications_list(Ctl *ctl, GError **error)
{
    g_autoptr(CtlTable) table = ctl_table_new(columns, G_N_ELEMENTS(columns));
    g_autoptr(SlJsonDoc) doc = load(ctl, error);
    if (doc == NULL)
        return CTL_EXIT_FAILED;
    for (guint i = 0; i < G_N_ELEMENTS(events); i++) {
        const SlJsonNode *event = find_event(doc, i);
        g_autofree char *url = event != NULL ? webhook_of(doc, event) : NULL;
        g_autofree char *json =
            g_strdup_printf("{\"event\":\"%s\",\"notification\":%.*s}", events[i].name,
                            event != NULL ? (int)event->n : 2, event != NULL ? event->p : "{}");
        ctl_table_add(
            table, json, strlen(json), events[i].name, g_strdup(events[i].name),
            g_strdup(event != NULL && is_enabled(doc, event, "email") ? _("yes") : _("no")),
            shorten(url));
    }
    g_autoptr(GString) out = g_string_new(NULL);
    ctl_table_print(table, ctl->format, &ctl->style, NULL, out);
    ctl_print(ctl, out->str);
    return CTL_EXIT_OK;
}

/* --- notifications set -------------------------------------------------------------------------
 */

typedef struct {
    char *webhook; /* NULL: as it is; "": off */
    int mail;      /* -1: as it is */
} Change;

static void
change_clear(Change *change)
{
    g_clear_pointer(&change->webhook, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Change, change_clear)

static gboolean
parse_webhook(const char *value, char **ret, GError **error)
{
    g_free(*ret);
    *ret = NULL;
    if (strcmp(value, "none") == 0)
        *ret = g_strdup("");
    else if (*value == '@')
        *ret = ctl_read_file(value[1] == '-' && value[2] == '\0' ? "-" : value + 1, NULL, error);
    else
        *ret = g_strdup(value);
    if (*ret == NULL)
        return FALSE;
    g_strstrip(*ret);
    g_autofree char *place = shorten(*ret);
    return **ret == '\0' || place != NULL ||
           ctl_set_usage_error(error, _("'webhook' is an address, 'https://…', or 'none'"));
}

static gboolean
parse_change(const char *word, Change *change, GError **error)
{
    if (g_str_has_prefix(word, "webhook="))
        return parse_webhook(word + strlen("webhook="), &change->webhook, error);
    if (!g_str_has_prefix(word, "mail="))
        return ctl_set_usage_error(error, _("'%s' is neither webhook=ADDRESS nor mail=yes|no"),
                                   word);
    const char *value = word + strlen("mail=");
    change->mail = strcmp(value, "yes") == 0 ? TRUE : strcmp(value, "no") == 0 ? FALSE : -1;
    return change->mail >= 0 ||
           ctl_set_usage_error(error, _("'mail' is 'yes' or 'no', not '%s'"), value);
}

static char *
build_change(guint wanted, const Change *change)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    sl_json_key(&w, "notifications");
    sl_json_begin_object(&w);
    for (guint i = 0; i < G_N_ELEMENTS(events); i++) {
        if ((wanted & (1u << i)) == 0)
            continue;
        sl_json_key(&w, events[i].name);
        sl_json_begin_object(&w);
        if (change->mail >= 0) {
            sl_json_key(&w, "email");
            sl_json_begin_object(&w);
            sl_json_member_bool(&w, "enabled", change->mail);
            sl_json_end_object(&w);
        }
        if (change->webhook != NULL) {
            sl_json_key(&w, "webhook");
            sl_json_begin_object(&w);
            sl_json_member_bool(&w, "enabled", *change->webhook != '\0');
            if (*change->webhook != '\0')
                sl_json_member_string(&w, "url", change->webhook);
            sl_json_end_object(&w);
        }
        sl_json_end_object(&w);
    }
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

CtlExit
ctl_run_notifications_set(Ctl *ctl, GError **error)
{
    char **words = ctl->args->args;
    g_auto(Change) change = {.mail = -1};
    guint wanted = parse_event(words[0], error);
    if (wanted == 0)
        return CTL_EXIT_USAGE;
    for (guint i = 1; words[i] != NULL; i++)
        if (!parse_change(words[i], &change, error))
            return CTL_EXIT_USAGE;
    const char *workspace = ctl_workspace(ctl, error);
    if (workspace == NULL)
        return CTL_EXIT_FAILED;
    g_autofree char *path = g_strconcat(CTL_PUBLIC "/workspaces/", workspace, NULL);
    g_autofree char *body = build_change(wanted, &change);
    g_autoptr(SlJsonDoc) doc = ctl_api_call(ctl->api, "PATCH", path, body, CTL_DEADLINE, error);
    if (doc == NULL)
        return CTL_EXIT_FAILED;
    ctl_say(ctl, _("Notifications are set. 'sluicectl notifications test' tries them."));
    return CTL_EXIT_OK;
}

/* --- notifications test ------------------------------------------------------------------------
 */

/* One message; FALSE with *ret_why: it did not arrive. */
static gboolean
try(Ctl *ctl, const char *path, const char *body, char **ret_why, GError **error)
{
    g_autoptr(SlJsonDoc) doc = ctl_api_call(ctl->api, "POST", path, body, CTL_DEADLINE, error);
    if (doc == NULL)
        return FALSE;
    g_autofree char *status = ctl_json_string(doc, sl_json_root(doc), "status");
    *ret_why = strcmp(status, "succeeded") == 0
                   ? NULL
                   : ctl_json_string(doc, sl_json_root(doc), "message");
    return TRUE;
}

static gboolean
try_webhook(Ctl *ctl, const char *trigger, const char *url, char **ret_why, GError **error)
{
    g_autoptr(GString) body = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(body);
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "notificationTrigger", trigger);
    sl_json_key(&w, "slackConfiguration");
    sl_json_begin_object(&w);
    sl_json_member_string(&w, "webhook", url);
    sl_json_end_object(&w);
    sl_json_end_object(&w);
    return try(ctl, "/api/v1/notifications/try_webhook", body->str, ret_why, error);
}

static gboolean
try_mail(Ctl *ctl, char **ret_why, GError **error)
{
    return try(ctl, "/api/v1/notifications/try",
               "{\"notificationType\":\"customerio\",\"sendOnSuccess\":true,\"sendOnFailure\":"
               "false}",
               ret_why, error);
}

/* What was told, and how often it failed. */
typedef struct {
    Ctl *ctl;
    guint n, failed;
} Tries;

static void
tell(Tries *tries, const char *what, const char *why)
{
    tries->n++;
    tries->failed += why != NULL;
    g_autofree char *where = ctl_text_clean(what, -1);
    g_autofree char *clean = why != NULL ? ctl_text_clean(why, -1) : NULL;
    g_autofree char *line = why != NULL ? g_strdup_printf(_("%s: failed: %s\n"), where, clean)
                                        : g_strdup_printf(_("%s: sent\n"), where);
    if (why != NULL || !tries->ctl->quiet)
        ctl_print(tries->ctl, line);
}

/* Each address once, for the first event that goes there: a receiver is asked, not flooded. */
static gboolean
try_event(Tries *tries, GHashTable *done, const SlJsonDoc *doc, guint i, GError **error)
{
    const SlJsonNode *event = find_event(doc, i);
    g_autofree char *url = event != NULL ? webhook_of(doc, event) : NULL;
    if (url != NULL && !g_hash_table_contains(done, url)) {
        g_autofree char *place = shorten(url), *why = NULL;
        g_autofree char *what =
            g_strdup_printf("%s, %s", events[i].name, place != NULL ? place : _("a webhook"));
        if (!try_webhook(tries->ctl, events[i].trigger, url, &why, error))
            return FALSE;
        tell(tries, what, why);
        g_hash_table_add(done, g_steal_pointer(&url));
    }
    if (event != NULL && is_enabled(doc, event, "email") && !g_hash_table_contains(done, "mail")) {
        g_autofree char *why = NULL;
        g_autofree char *what = g_strdup_printf(_("%s, mail to you"), events[i].name);
        if (!try_mail(tries->ctl, &why, error))
            return FALSE;
        tell(tries, what, why);
        g_hash_table_add(done, g_strdup("mail"));
    }
    return TRUE;
}

CtlExit
ctl_run_notifications_test(Ctl *ctl, GError **error)
{
    Tries tries = {ctl, 0, 0};
    guint wanted = 0;
    for (guint i = 0; ctl->args->args[i] != NULL; i++) {
        guint one = parse_event(ctl->args->args[i], error);
        if (one == 0)
            return CTL_EXIT_USAGE;
        wanted |= one;
    }
    g_autoptr(SlJsonDoc) doc = load(ctl, error);
    g_autoptr(GHashTable) done = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (doc == NULL)
        return CTL_EXIT_FAILED;
    for (guint i = 0; i < G_N_ELEMENTS(events); i++)
        if ((wanted == 0 || (wanted & (1u << i)) != 0) && !try_event(&tries, done, doc, i, error))
            return CTL_EXIT_FAILED;
    if (tries.n == 0)
        ctl_say(ctl, _("Nobody is told: 'sluicectl notifications set' changes that."));
    return tries.n == 0 ? CTL_EXIT_STATE : tries.failed > 0 ? CTL_EXIT_FAILED : CTL_EXIT_OK;
}
