/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "ctl-pypi.h"
#include "ctl-text.h"
#include "sl-config.h"

/* 'sluicectl doctor': a table of checks, each on its own, the way out in its text. */

typedef enum {
    DOCTOR_GOOD,
    DOCTOR_NOTE, /* works, but look */
    DOCTOR_BAD,
} Verdict;

typedef struct {
    const char *name; /* N_() */
    Verdict (*check)(Ctl *ctl, GString *text);
} Check;

static Verdict
check_config(Ctl *ctl, GString *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlConfig) config = sl_config_load(NULL, &error);
    g_string_append(text, config != NULL ? SL_SYSCONFDIR "/sluice.conf" : error->message);
    return config != NULL ? DOCTOR_GOOD : DOCTOR_BAD;
}

static char *
unit_state(GDBusConnection *bus, const char *unit)
{
    g_autoptr(GVariant) path = g_dbus_connection_call_sync(
        bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
        "org.freedesktop.systemd1.Manager", "LoadUnit", g_variant_new("(s)", unit),
        G_VARIANT_TYPE("(o)"), G_DBUS_CALL_FLAGS_NONE, 5000, NULL, NULL);
    if (path == NULL)
        return NULL;
    const char *object;
    g_variant_get(path, "(&o)", &object);
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        bus, "org.freedesktop.systemd1", object, "org.freedesktop.DBus.Properties", "Get",
        g_variant_new("(ss)", "org.freedesktop.systemd1.Unit", "ActiveState"),
        G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NONE, 5000, NULL, NULL);
    if (reply == NULL)
        return NULL;
    g_autoptr(GVariant) value = NULL;
    g_variant_get(reply, "(v)", &value);
    return g_variant_dup_string(value, NULL);
}

static Verdict
check_units(Ctl *ctl, GString *text)
{
    static const char *const units[] = {
        "sluice.target",
        "sluice-server.socket",
        "sluice-workload-api.socket",
        "sluice-scheduler.service",
        "sluice-launcher.service",
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &error);
    if (bus == NULL) {
        g_string_append_printf(text, _("no system bus: %s"), error->message);
        return DOCTOR_BAD;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        g_autofree char *state = unit_state(bus, units[i]);
        if (g_strcmp0(state, "active") != 0)
            g_string_append_printf(text, "%s%s: %s", text->len > 0 ? ", " : "", units[i],
                                   state != NULL ? state : _("unknown"));
    }
    if (text->len > 0) {
        g_string_append(text, _("; 'systemctl start sluice.target' starts all"));
        return DOCTOR_BAD;
    }
    g_string_append(text, _("all active"));
    return DOCTOR_GOOD;
}

static Verdict
check_api(Ctl *ctl, GString *text)
{
    g_autoptr(GError) error = NULL;
    gint64 began = g_get_monotonic_time();
    g_autoptr(SlHttpUnixReply) reply =
        ctl_api_request(ctl->api, "GET", CTL_PUBLIC "/health", NULL, 10 * G_USEC_PER_SEC, &error);
    if (reply != NULL && ctl_api_check_reply(reply, &error)) {
        g_autofree char *time = ctl_text_duration(g_get_monotonic_time() - began);
        g_string_append_printf(text, _("answers at %s in %s"), ctl_api_get_place(ctl->api), time);
        return DOCTOR_GOOD;
    }
    g_autofree char *clean = ctl_text_clean(error->message, -1);
    g_string_append(text, clean);
    return DOCTOR_BAD;
}

static Verdict
check_permission(Ctl *ctl, GString *text)
{
    g_autoptr(GError) error = NULL;
    const char *workspace = ctl_workspace(ctl, &error);
    if (workspace != NULL) {
        g_string_append_printf(text, _("workspace %s"), workspace);
        return DOCTOR_GOOD;
    }
    g_autofree char *clean = ctl_text_clean(error->message, -1);
    g_string_append_printf(text, _("%s; root and members of group 'sluice' are administrators"),
                           clean);
    return DOCTOR_BAD;
}

static Verdict
check_disk(Ctl *ctl, GString *text)
{
    static const char *const places[] = {"/var/lib/sluice", "/var/log/sluice"};
    Verdict verdict = DOCTOR_GOOD;
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        struct statvfs fs;
        if (statvfs(places[i], &fs) != 0) {
            g_string_append_printf(text, "%s%s: %s", i > 0 ? ", " : "", places[i],
                                   g_strerror(errno));
            verdict = DOCTOR_BAD;
            continue;
        }
        guint64 free_bytes = (guint64)fs.f_bavail * fs.f_frsize;
        g_autofree char *free_text = ctl_text_bytes((gint64)free_bytes);
        g_string_append_printf(text, _("%s%s free in %s"), i > 0 ? ", " : "", free_text, places[i]);
        if (free_bytes < G_GUINT64_CONSTANT(1) << 30)
            verdict = MAX(verdict, DOCTOR_NOTE);
    }
    return verdict;
}

static Verdict
check_clock(Ctl *ctl, GString *text)
{
    struct timex timex = {0};
    if (adjtimex(&timex) == TIME_ERROR || (timex.status & STA_UNSYNC) != 0) {
        g_string_append(text, _("not synchronised: schedules and cursors follow it"));
        return DOCTOR_NOTE;
    }
    g_string_append(text, _("synchronised"));
    return DOCTOR_GOOD;
}

static Verdict
check_pypi(Ctl *ctl, GString *text)
{
    g_autofree char *missing = ctl_pypi_missing();
    if (missing == NULL) {
        g_string_append(text, _("connectors from PyPI can be installed"));
        return DOCTOR_GOOD;
    }
    g_string_append(text, missing);
    return DOCTOR_NOTE;
}

static const Check checks[] = {
    {N_("Settings"), check_config},       {N_("Units"), check_units}, {N_("API"), check_api},
    {N_("Permission"), check_permission}, {N_("Disk"), check_disk},   {N_("Clock"), check_clock},
    {N_("Python"), check_pypi},
};

CtlExit
ctl_run_doctor(Ctl *ctl, GError **error)
{
    static const char *const colors[] = {"\033[32m", "\033[33m", "\033[1;31m"};
    static const char *const words[] = {N_("good"), N_("look"), N_("bad")};
    guint counts[G_N_ELEMENTS(words)] = {0};
    if (!ctl_need_local(ctl, error))
        return CTL_EXIT_USAGE;
    for (gsize i = 0; i < G_N_ELEMENTS(checks); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        Verdict verdict = checks[i].check(ctl, text);
        counts[verdict]++;
        if (ctl->quiet && verdict == DOCTOR_GOOD)
            continue;
        printf("%s%-5s%s %s: %s\n", ctl->style.color ? colors[verdict] : "", _(words[verdict]),
               ctl_style_reset(&ctl->style), _(checks[i].name), text->str);
    }
    return counts[DOCTOR_BAD] > 0 ? CTL_EXIT_FAILED : CTL_EXIT_OK;
}
