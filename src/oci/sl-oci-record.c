/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-oci-record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sl-error.h"
#include "sl-fd.h"
#include "sl-json-read.h"
#include "sl-json-write.h"

#define MAX_RECORD (1024 * 1024)
/* Options of a mount are one page (mount(2)); the rest of ours needs some of it. */
#define MAX_OPTIONS 4000
#define HEX "0123456789abcdef"

void
sl_oci_record_free(SlOciRecord *record)
{
    if (record == NULL)
        return;
    g_free(record->image);
    g_free(record->reference);
    g_free(record->name);
    g_free(record->version);
    g_free(record->type);
    g_free(record->title);
    g_strfreev(record->layers);
    g_strfreev(record->command);
    g_strfreev(record->environment);
    g_free(record->directory);
    g_free(record);
}

gboolean
sl_oci_is_layer_id(const char *text)
{
    return strlen(text) == 32 && strspn(text, HEX) == 32;
}

gboolean
sl_oci_is_root(const char *store, const char *path)
{
    g_autofree char *prefix = g_strconcat(store, "/roots/", NULL);
    gsize len = strlen(prefix);
    return g_str_has_prefix(path, prefix) && strlen(path + len) == 64 &&
           strspn(path + len, HEX) == 64;
}

typedef enum { TEXT, TEXTS } Kind;

/* The members of image.json. */
static const struct {
    const char *name;
    Kind kind;
    gboolean required;
    gsize offset;
} members[] = {
    {"image", TEXT, TRUE, G_STRUCT_OFFSET(SlOciRecord, image)},
    {"reference", TEXT, FALSE, G_STRUCT_OFFSET(SlOciRecord, reference)},
    {"name", TEXT, FALSE, G_STRUCT_OFFSET(SlOciRecord, name)},
    {"version", TEXT, FALSE, G_STRUCT_OFFSET(SlOciRecord, version)},
    {"type", TEXT, FALSE, G_STRUCT_OFFSET(SlOciRecord, type)},
    {"title", TEXT, FALSE, G_STRUCT_OFFSET(SlOciRecord, title)},
    {"layers", TEXTS, TRUE, G_STRUCT_OFFSET(SlOciRecord, layers)},
    {"command", TEXTS, TRUE, G_STRUCT_OFFSET(SlOciRecord, command)},
    {"environment", TEXTS, TRUE, G_STRUCT_OFFSET(SlOciRecord, environment)},
    {"directory", TEXT, TRUE, G_STRUCT_OFFSET(SlOciRecord, directory)},
};

char *
sl_oci_record_print(const SlOciRecord *record)
{
    GString *out = g_string_new(NULL);
    SlJsonWriter w = SL_JSON_WRITER_INIT(out);
    sl_json_begin_object(&w);
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        gconstpointer at = (const guint8 *)record + members[i].offset;
        if (members[i].kind == TEXT) {
            sl_json_member_string(&w, members[i].name, *(char *const *)at);
        } else {
            sl_json_key(&w, members[i].name);
            sl_json_strings(&w, *(const char *const *const *)at);
        }
    }
    sl_json_end_object(&w);
    return g_string_free(out, FALSE);
}

static char **
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
    return (char **)g_ptr_array_steal(strings, NULL);
}

static gboolean
check_record(const SlOciRecord *record, GError **error)
{
    for (guint i = 0; record->layers[i] != NULL; i++)
        if (!sl_oci_is_layer_id(record->layers[i]))
            return sl_error_set(error, SL_ERROR_INVALID, "layers: '%s' is no id of a layer",
                                record->layers[i]);
    if (record->layers[0] == NULL)
        return sl_error_set(error, SL_ERROR_INVALID, "layers: none");
    if (record->command[0] == NULL || *record->command[0] != '/')
        return sl_error_set(error, SL_ERROR_INVALID, "command: expected an absolute path first");
    if (*record->directory != '/')
        return sl_error_set(error, SL_ERROR_INVALID, "directory: expected an absolute path");
    return TRUE;
}

SlOciRecord *
sl_oci_record_parse(const char *text, gsize len, GError **error)
{
    g_autoptr(SlOciRecord) record = g_new0(SlOciRecord, 1);
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, len, NULL, error);
    if (doc == NULL)
        return NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        const SlJsonNode *value = sl_json_get(doc, sl_json_root(doc), members[i].name);
        gpointer at = G_STRUCT_MEMBER_P(record, members[i].offset);
        if (value == NULL && !members[i].required)
            continue;
        if (value != NULL && members[i].kind == TEXT)
            *(char **)at = sl_json_dup_string(value);
        else if (value != NULL)
            *(char ***)at = dup_strings(doc, value);
        if (*(gpointer *)at == NULL) {
            sl_error_set(error, SL_ERROR_INVALID, "%s: expected %s", members[i].name,
                         members[i].kind == TEXT ? "a string" : "a list of strings");
            return NULL;
        }
    }
    return check_record(record, error) ? g_steal_pointer(&record) : NULL;
}

SlOciRecord *
sl_oci_record_load(const char *root, GError **error)
{
    g_autofree char *path = g_build_filename(root, SL_OCI_RECORD, NULL);
    sl_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    gsize len;
    if (fd < 0) {
        sl_error_set_errno(error, errno, "'%s'", path);
        return NULL;
    }
    g_autofree char *text = sl_fd_read_all(fd, MAX_RECORD, &len, error);
    SlOciRecord *record = text != NULL ? sl_oci_record_parse(text, len, error) : NULL;
    if (record == NULL)
        g_prefix_error(error, "'%s': ", path);
    return record;
}

char *
sl_oci_record_lowerdir(const SlOciRecord *record, const char *root, GError **error)
{
    g_autofree char *roots = g_path_get_dirname(root);
    g_autofree char *store = g_path_get_dirname(roots);
    g_autoptr(GString) options = g_string_new(NULL);
    g_string_append_printf(options, "lowerdir=%s/" SL_OCI_MOUNTS, root);
    for (guint i = g_strv_length(record->layers); i > 0; i--)
        g_string_append_printf(options, ":%s/layers/%s", store, record->layers[i - 1]);
    if (options->len > MAX_OPTIONS) {
        sl_error_set(error, SL_ERROR_TOO_LARGE, "the image has %u layers, more than can be mounted",
                     g_strv_length(record->layers));
        return NULL;
    }
    return g_strdup(options->str);
}
