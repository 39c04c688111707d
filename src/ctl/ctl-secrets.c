/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl-creds.h"
#include "sl-error.h"
#include "sl-fd.h"

/* 'sluicectl secrets rotate': the steps of ctl-rotate on this host. */

/* What the API says about its keys. */
typedef struct {
    SlJsonDoc *doc;
    gint64 current, older, lost; /* secrets and applications */
} Keys;

static void
keys_clear(Keys *keys)
{
    g_clear_pointer(&keys->doc, sl_json_doc_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Keys, keys_clear)

static gint64
sum(const Keys *keys, const char *secrets, const char *applications)
{
    const SlJsonNode *root = sl_json_root(keys->doc);
    return ctl_json_int(keys->doc, root, secrets) + ctl_json_int(keys->doc, root, applications);
}

static gboolean
ask_keys(const Ctl *ctl, Keys *ret, GError **error)
{
    ret->doc = ctl_api_get(ctl->api, CTL_SLUICE "/secrets/keys", error);
    if (ret->doc == NULL)
        return FALSE;
    ret->current = sum(ret, "secretsCurrent", "applicationsCurrent");
    ret->older = sum(ret, "secretsOlder", "applicationsOlder");
    ret->lost = sum(ret, "secretsLost", "applicationsLost");
    return TRUE;
}

static gboolean
has_keys(const Keys *keys, const char *const *ids)
{
    const SlJsonNode *list = sl_json_get(keys->doc, sl_json_root(keys->doc), "keyIds");
    const SlJsonNode *item = list != NULL ? sl_json_first(keys->doc, list) : NULL;
    for (; *ids != NULL && item != NULL; ids++, item = sl_json_next(keys->doc, list, item))
        if (!sl_json_string_is(item, *ids))
            return FALSE;
    return *ids == NULL && item == NULL;
}

/* --- the steps on this host -------------------------------------------------------------------
 */

static GBytes *
load(gpointer data, char **ret_pending, GError **error)
{
    return ctl_creds_load(ret_pending, error);
}

static gboolean
store_ring(gpointer data, GBytes *ring, GError **error)
{
    return ctl_creds_store_ring(ring, error);
}

static gboolean
store_pending(gpointer data, const char *id, GError **error)
{
    return ctl_creds_store_pending(id, error);
}

/* The API is asked as a witness: it answers with the ring that it has really been given. */
static gboolean
spread(gpointer data, const char *const *ids, GError **error)
{
    g_auto(Keys) keys = {NULL};
    if (!ctl_creds_restart_holders(error) || !ask_keys(data, &keys, error))
        return FALSE;
    return has_keys(&keys, ids) ||
           sl_error_set(error, SL_ERROR_FAILED,
                        _("the API has other keys than %s/%s; is it a service of this host?"),
                        CTL_CREDS_FOLDER, CTL_CREDS_NAME);
}

typedef struct {
    const Ctl *ctl;
    GMainLoop *loop;
    GVariant *reply;
    GError *error;
} Duty;

static void
on_duty(GObject *source, GAsyncResult *result, gpointer data)
{
    Duty *duty = data;
    duty->reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &duty->error);
    g_main_loop_quit(duty->loop);
}

/* On a terminal only: how many are left, in the same line. */
static gboolean
on_progress(gpointer data)
{
    const Duty *duty = data;
    g_auto(Keys) keys = {NULL};
    if (ask_keys(duty->ctl, &keys, NULL))
        fprintf(stderr, _("\r\033[K%" G_GINT64_FORMAT " sealed, %" G_GINT64_FORMAT " to do"),
                keys.current, keys.older);
    return G_SOURCE_CONTINUE;
}

static gboolean
run_duty(const Ctl *ctl, GError **error)
{
    g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, error);
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Duty duty = {ctl, loop, NULL, NULL};
    gboolean shown = ctl->tty && !ctl->quiet && isatty(STDERR_FILENO);
    if (bus == NULL)
        return FALSE;
    guint timer = shown ? g_timeout_add_seconds(1, on_progress, &duty) : 0;
    g_dbus_connection_call(bus, "org.sluice.Cron1", "/org/sluice/Cron1", "org.sluice.Cron1",
                           "RunDuty", g_variant_new("(sa{sv})", "reseal-secrets", NULL),
                           G_VARIANT_TYPE("(s)"), G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, on_duty,
                           &duty);
    g_main_loop_run(loop);
    if (shown) {
        g_source_remove(timer);
        fputs("\r\033[K", stderr);
    }
    if (duty.reply == NULL) {
        g_dbus_error_strip_remote_error(duty.error);
        g_propagate_error(error, duty.error);
        return FALSE;
    }
    g_variant_unref(duty.reply);
    return TRUE;
}

static gboolean
reseal(gpointer data, GError **error)
{
    g_auto(Keys) keys = {NULL};
    if (!run_duty(data, error) || !ask_keys(data, &keys, error))
        return FALSE;
    return keys.older == 0 ||
           sl_error_set(error, SL_ERROR_FAILED,
                        _("%" G_GINT64_FORMAT " secrets are still sealed with older keys, which "
                          "stay; is there another host with this database?"),
                        keys.older);
}

static void
tell(gpointer data, CtlRotateStep step)
{
    ctl_say(data, "%s", _(ctl_rotate_texts[step]));
}

/* --- the command ------------------------------------------------------------------------------
 */

static CtlExit
show_status(Ctl *ctl, GError **error)
{
    g_autofree char *pending = NULL;
    g_autoptr(GBytes) ring = ctl_creds_load(&pending, error);
    g_auto(GStrv) ids = ring != NULL ? ctl_rotate_ids(ring, error) : NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) problem = NULL;
    g_auto(Keys) keys = {NULL};
    if (ids == NULL)
        return CTL_EXIT_FAILED;
    for (guint i = 0; ids[i] != NULL; i++)
        g_string_append_printf(out, i == 0 ? _("Key %s seals.\n") : _("Key %s opens.\n"), ids[i]);
    if (ask_keys(ctl, &keys, &problem))
        g_string_append_printf(out,
                               _("%" G_GINT64_FORMAT " secrets are sealed with the first key of "
                                 "the API, %" G_GINT64_FORMAT " with older ones, %" G_GINT64_FORMAT
                                 " with keys that are gone.\n"),
                               keys.current, keys.older, keys.lost);
    else
        g_string_append_printf(out, _("The API does not say what they have sealed: %s\n"),
                               problem->message);
    CtlRotateStep step = ctl_rotate_step((const char *const *)ids, pending);
    if (step != CTL_ROTATE_IDLE)
        g_string_append_printf(out,
                               _("A rotation to key %s was interrupted. Next: %s. 'sluicectl "
                                 "secrets rotate' goes on.\n"),
                               pending, _(ctl_rotate_texts[step]));
    ctl_print(ctl, out->str);
    return step == CTL_ROTATE_IDLE ? CTL_EXIT_OK : CTL_EXIT_STATE;
}

CtlExit
ctl_run_secrets_rotate(Ctl *ctl, GError **error)
{
    static const CtlRotateOps ops = {load, store_ring, store_pending, spread, reseal, tell};
    g_autofree char *id = NULL;
    g_auto(Keys) keys = {NULL};
    if (!ctl_need_local(ctl, error))
        return CTL_EXIT_USAGE;
    if (geteuid() != 0) {
        sl_error_set(error, SL_ERROR_FORBIDDEN, _("only root may use the master key"));
        return CTL_EXIT_PERMISSION;
    }
    if (ctl_option(ctl, CTL_OPT_STATUS) != NULL)
        return show_status(ctl, error);
    sl_autofd int lock = ctl_creds_lock(error);
    /* Nothing is begun that could not be ended: the API must be there, with its database. */
    if (lock < 0 || !ask_keys(ctl, &keys, error) || !ctl_rotate_run(&ops, ctl, &id, error))
        return CTL_EXIT_FAILED;
    ctl_say(ctl,
            _("Key %s seals all secrets, and no other is left. Keep a copy of it (%s/%s, and "
              "/var/lib/systemd/credential.secret); a dump of the database from before opens with "
              "the older key only."),
            id, CTL_CREDS_FOLDER, CTL_CREDS_NAME);
    return CTL_EXIT_OK;
}
