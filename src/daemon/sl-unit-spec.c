/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-unit.h"

#include <string.h>
#include <sys/socket.h>

#include "sl-address.h"

#define UNIT_PATH "/org/freedesktop/systemd1/unit/"

static void
add(GVariantBuilder *properties, const char *name, GVariant *value)
{
    g_variant_builder_add(properties, "(sv)", name, value);
}

static void
add_string(GVariantBuilder *properties, const char *name, const char *value)
{
    if (value != NULL)
        add(properties, name, g_variant_new_string(value));
}

static void
add_strings(GVariantBuilder *properties, const char *name, const char *const *values)
{
    if (values != NULL && values[0] != NULL)
        add(properties, name, g_variant_new_strv(values, -1));
}

static void
add_number(GVariantBuilder *properties, const char *name, guint64 value)
{
    if (value != 0)
        add(properties, name, g_variant_new_uint64(value));
}

static GVariant *
setting_value(const SlUnitSetting *setting)
{
    g_auto(GStrv) words = NULL;
    if (setting->kind >= SL_UNIT_WORDS)
        words = g_strsplit(setting->text, " ", -1);
    switch (setting->kind) {
    case SL_UNIT_BOOL:
        return g_variant_new_boolean(setting->number != 0);
    case SL_UNIT_UINT64:
        return g_variant_new_uint64(setting->number);
    case SL_UNIT_UINT32:
        return g_variant_new_uint32((guint32)setting->number);
    case SL_UNIT_INT32:
        return g_variant_new_int32((gint32)setting->number);
    case SL_UNIT_STRING:
        return g_variant_new_string(setting->text);
    case SL_UNIT_WORDS:
        return g_variant_new_strv((const char *const *)words, -1);
    case SL_UNIT_ALLOW:
    case SL_UNIT_DENY:
        return g_variant_new("(b^as)", setting->kind == SL_UNIT_ALLOW, words);
    }
    g_return_val_if_reached(NULL);
}

/* systemd expands "$WORD" and "${WORD}" in command lines; "$$" is a dollar. The variant that does
 * not expand, ExecStartEx, does not survive a daemon-reload in systemd 252. */
static void
add_command(GVariantBuilder *properties, const char *property, const char *const *command)
{
    g_autoptr(GPtrArray) escaped = g_ptr_array_new_with_free_func(g_free);
    GVariantBuilder list;

    for (gsize i = 0; command[i] != NULL; i++) {
        g_auto(GStrv) parts = g_strsplit(command[i], "$", -1);
        g_ptr_array_add(escaped, g_strjoinv("$$", parts));
    }
    g_ptr_array_add(escaped, NULL);
    g_variant_builder_init(&list, G_VARIANT_TYPE("a(sasb)"));
    g_variant_builder_add(&list, "(s^asb)", command[0], escaped->pdata, FALSE);
    add(properties, property, g_variant_builder_end(&list));
}

static void
add_credential(GVariantBuilder *properties, const char *name)
{
    GVariantBuilder list;
    g_variant_builder_init(&list, G_VARIANT_TYPE("a(ss)"));
    g_variant_builder_add(&list, "(ss)", name, name);
    add(properties, "LoadCredentialEncrypted", g_variant_builder_end(&list));
}

static void
add_mounts(GVariantBuilder *properties, const SlUnitSpec *spec)
{
    GVariantBuilder writable, readable, tmpfs;
    gsize n_writable = 0, n_readable = 0, n_tmpfs = 0;

    g_variant_builder_init(&writable, G_VARIANT_TYPE("a(ssbt)"));
    g_variant_builder_init(&readable, G_VARIANT_TYPE("a(ssbt)"));
    g_variant_builder_init(&tmpfs, G_VARIANT_TYPE("a(ss)"));
    for (gsize i = 0; i < spec->n_mounts; i++) {
        const SlUnitMount *mount = &spec->mounts[i];
        if (mount->source == NULL) {
            g_variant_builder_add(&tmpfs, "(ss)", mount->target,
                                  mount->options != NULL ? mount->options : "");
            n_tmpfs++;
        } else {
            g_variant_builder_add(mount->writable ? &writable : &readable, "(ssbt)", mount->source,
                                  mount->target, mount->optional, G_GUINT64_CONSTANT(0));
            *(mount->writable ? &n_writable : &n_readable) += 1;
        }
    }
    g_autoptr(GVariant) rw = g_variant_ref_sink(g_variant_builder_end(&writable));
    g_autoptr(GVariant) ro = g_variant_ref_sink(g_variant_builder_end(&readable));
    g_autoptr(GVariant) tmp = g_variant_ref_sink(g_variant_builder_end(&tmpfs));
    if (n_tmpfs > 0)
        add(properties, "TemporaryFileSystem", tmp);
    if (n_writable > 0)
        add(properties, "BindPaths", rw);
    if (n_readable > 0)
        add(properties, "BindReadOnlyPaths", ro);
}

static void
add_address(GVariantBuilder *list, const SlAddress *address)
{
    g_variant_builder_add(
        list, "(i@ayu)", address->family,
        g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, address->bytes, address->length, 1),
        address->prefix);
}

/* What is allowed goes before what is denied (systemd.resource-control(5)). */
static void
add_addresses(GVariantBuilder *properties, const SlUnitSpec *spec)
{
    static const SlAddress any[] = {{AF_INET, {0}, 4, 0}, {AF_INET6, {0}, 16, 0}};
    gboolean closed = spec->allowed_addresses != NULL;
    const SlAddress *denied = closed ? any : sl_address_denied;
    gsize n_denied = closed ? G_N_ELEMENTS(any) : sl_address_n_denied;
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("a(iayu)"));
    for (gsize i = 0; i < n_denied; i++)
        add_address(&list, &denied[i]);
    add(properties, "IPAddressDeny", g_variant_builder_end(&list));
    if (!closed)
        return;
    g_variant_builder_init(&list, G_VARIANT_TYPE("a(iayu)"));
    for (const char *const *text = spec->allowed_addresses; *text != NULL; text++) {
        SlAddress address;
        if (sl_address_parse(*text, &address))
            add_address(&list, &address);
    }
    add(properties, "IPAddressAllow", g_variant_builder_end(&list));
}

static void
add_log_fields(GVariantBuilder *properties, const char *const *fields)
{
    GVariantBuilder list;
    if (fields == NULL || fields[0] == NULL)
        return;
    g_variant_builder_init(&list, G_VARIANT_TYPE("aay"));
    for (gsize i = 0; fields[i] != NULL; i++)
        g_variant_builder_add_value(
            &list, g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, fields[i], strlen(fields[i]), 1));
    add(properties, "LogExtraFields", g_variant_builder_end(&list));
}

GVariant *
sl_unit_spec_build(const SlUnitSpec *spec)
{
    GVariantBuilder properties;
    g_variant_builder_init(&properties, G_VARIANT_TYPE("a(sv)"));
    add_string(&properties, "Description", spec->description);
    add_string(&properties, "Slice", spec->slice);
    add_strings(&properties, "BindsTo", spec->binds_to);
    add_strings(&properties, "Before", spec->before);
    if (spec->pid != 0)
        add(&properties, "PIDs",
            g_variant_new_fixed_array(G_VARIANT_TYPE_UINT32, &spec->pid, 1, sizeof spec->pid));
    for (gsize i = 0; i < spec->n_policy; i++)
        add(&properties, spec->policy[i].name, setting_value(&spec->policy[i]));
    add_strings(&properties, "Environment", spec->environment);
    add_mounts(&properties, spec);
    if (spec->deny_local_addresses || spec->allowed_addresses != NULL)
        add_addresses(&properties, spec);
    add_number(&properties, "MemoryMax", spec->memory_max);
    add_number(&properties, "TasksMax", spec->tasks_max);
    add_number(&properties, "CPUQuotaPerSecUSec", spec->cpu_percent * 10000);
    add_number(&properties, "RuntimeMaxUSec", spec->runtime_max_usec);
    add_number(&properties, "TimeoutStopUSec", spec->timeout_stop_usec);
    add_string(&properties, "SyslogIdentifier", spec->syslog_identifier);
    add_log_fields(&properties, spec->log_fields);
    if (spec->input_fd != 0)
        add(&properties, "StandardInputFileDescriptor", g_variant_new_handle(0));
    if (spec->credential != NULL)
        add_credential(&properties, spec->credential);
    if (spec->command != NULL)
        add_command(&properties, "ExecStart", spec->command);
    if (spec->command_after != NULL)
        add_command(&properties, "ExecStopPost", spec->command_after);
    return g_variant_builder_end(&properties);
}

char *
sl_unit_name_from_path(const char *path)
{
    if (!g_str_has_prefix(path, UNIT_PATH))
        return NULL;
    GString *name = g_string_new(NULL);
    for (const char *p = path + strlen(UNIT_PATH); *p != '\0'; p++) {
        if (*p == '_' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            g_string_append_c(name,
                              (char)(g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2])));
            p += 2;
        } else {
            g_string_append_c(name, *p);
        }
    }
    return g_string_free(name, FALSE);
}
