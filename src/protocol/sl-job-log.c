/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-job-log.h"

#include <string.h>

#include "sl-json-write.h"

#define MIN_SECRET 4
#define MIN_SECRET_LINE 8 /* of a secret with several lines: "-----" alone says nothing */
#define STARS "******"
#define CUT " … (cut)"

static const char *const levels[] = {
    [SL_JOB_LOG_FATAL] = "FATAL", [SL_JOB_LOG_ERROR] = "ERROR", [SL_JOB_LOG_WARN] = "WARN",
    [SL_JOB_LOG_INFO] = "INFO",   [SL_JOB_LOG_DEBUG] = "DEBUG", [SL_JOB_LOG_TRACE] = "TRACE",
};
static const char *const sources[] = {
    [SL_JOB_LOG_SOURCE] = "source",
    [SL_JOB_LOG_DESTINATION] = "destination",
    [SL_JOB_LOG_ORCHESTRATOR] = "replication-orchestrator",
    [SL_JOB_LOG_PLATFORM] = "platform",
};

SlJobLogLevel
sl_job_log_level(const char *name)
{
    for (guint i = 0; name != NULL && i < G_N_ELEMENTS(levels); i++) {
        if (g_ascii_strcasecmp(name, levels[i]) == 0)
            return (SlJobLogLevel)i;
    }
    return name != NULL && g_ascii_strcasecmp(name, "WARNING") == 0 ? SL_JOB_LOG_WARN
                                                                    : SL_JOB_LOG_INFO;
}

/* --- secrets --------------------------------------------------------------- */

struct SlMask {
    GPtrArray *secrets; /* of char *, the longest first: one may hold another */
};

SlMask *
sl_mask_new(void)
{
    SlMask *mask = g_new0(SlMask, 1);
    mask->secrets = g_ptr_array_new_with_free_func(g_free);
    return mask;
}

void
sl_mask_free(SlMask *mask)
{
    if (mask == NULL)
        return;
    g_ptr_array_unref(mask->secrets);
    g_free(mask);
}

static void
add_secret(SlMask *mask, const char *secret, gsize min)
{
    gsize len = strlen(secret);
    guint at = 0;
    if (len < min)
        return;
    for (; at < mask->secrets->len; at++) {
        const char *other = mask->secrets->pdata[at];
        if (strcmp(other, secret) == 0)
            return;
        if (strlen(other) < len)
            break;
    }
    g_ptr_array_insert(mask->secrets, (gint)at, g_strdup(secret));
}

void
sl_mask_add(SlMask *mask, const char *secret)
{
    g_autofree char *whole = g_strdup(secret);
    g_strstrip(whole);
    add_secret(mask, whole, MIN_SECRET);
    g_autoptr(GString) quoted = g_string_new(NULL);
    sl_json_append_quoted(quoted, whole, strlen(whole));
    g_string_truncate(quoted, quoted->len - 1);
    add_secret(mask, quoted->str + 1, MIN_SECRET);
    if (strchr(whole, '\n') == NULL)
        return;
    g_auto(GStrv) lines = g_strsplit(whole, "\n", -1);
    for (guint i = 0; lines[i] != NULL; i++)
        add_secret(mask, g_strstrip(lines[i]), MIN_SECRET_LINE);
}

static void
add_value(SlMask *mask, const SlJsonNode *node)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (node->type == SL_JSON_NUMBER)
        g_string_append_len(text, node->p, (gssize)node->n);
    else if (!sl_json_append_string(node, text))
        return;
    sl_mask_add(mask, text->str);
}

static void
add_at(SlMask *mask, const SlJsonDoc *doc, const SlJsonNode *node, char **keys)
{
    if (node == NULL)
        return;
    if (*keys == NULL) {
        add_value(mask, node);
    } else if (strcmp(*keys, "*") == 0) {
        guint step = node->type == SL_JSON_OBJECT ? 1 : 0;
        SL_JSON_FOREACH (doc, node, child)
            add_at(mask, doc, child + step, keys + 1);
    } else if (node->type == SL_JSON_ARRAY) {
        guint64 i;
        if (g_ascii_string_to_unsigned(*keys, 10, 0, G_MAXUINT, &i, NULL))
            add_at(mask, doc, sl_json_at(doc, node, (guint)i), keys + 1);
    } else {
        add_at(mask, doc, sl_json_get(doc, node, *keys), keys + 1);
    }
}

/* The keys of one path; NULL when it is none. */
static char **
split_path(const SlJsonDoc *doc, const SlJsonNode *path)
{
    g_autoptr(GStrvBuilder) keys = g_strv_builder_new();
    if (path->type == SL_JSON_ARRAY) {
        SL_JSON_FOREACH (doc, path, child) {
            g_autofree char *key = sl_json_dup_string(child);
            if (key == NULL)
                return NULL;
            g_strv_builder_add(keys, key);
        }
        return g_strv_builder_end(keys);
    }
    g_autofree char *text = sl_json_dup_string(path);
    if (text == NULL)
        return NULL;
    if (*text == '/')
        return g_strsplit(text + 1, "/", -1);
    return g_strsplit(g_str_has_prefix(text, "$.") ? text + 2 : text, ".", -1);
}

void
sl_mask_add_paths(SlMask *mask, const SlJsonDoc *doc, const SlJsonNode *configuration,
                  const SlJsonNode *paths)
{
    if (paths == NULL || paths->type != SL_JSON_ARRAY)
        return;
    SL_JSON_FOREACH (doc, paths, path) {
        g_auto(GStrv) keys = split_path(doc, path);
        if (keys != NULL)
            add_at(mask, doc, configuration, keys);
    }
}

char *
sl_mask_apply(const SlMask *mask, const char *text, gsize len)
{
    g_autoptr(GString) out = NULL;
    if (mask == NULL)
        return NULL;
    for (guint i = 0; i < mask->secrets->len; i++) {
        const char *secret = mask->secrets->pdata[i], *found;
        gsize n = strlen(secret);
        const char *from = out != NULL ? out->str : text;
        const char *end = from + (out != NULL ? out->len : len);
        if (memmem(from, (gsize)(end - from), secret, n) == NULL)
            continue;
        g_autoptr(GString) next = g_string_sized_new((gsize)(end - from));
        while ((found = memmem(from, (gsize)(end - from), secret, n)) != NULL) {
            g_string_append_len(next, from, found - from);
            g_string_append(next, STARS);
            from = found + n;
        }
        g_string_append_len(next, from, end - from);
        if (out != NULL)
            g_string_free(out, TRUE);
        out = g_steal_pointer(&next);
    }
    return out != NULL ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

/* --- a line ---------------------------------------------------------------- */

/* Masks first and cuts then: a cut through a secret would leave half of it. */
static void
append_text(GString *out, const char *text, gsize len, const SlMask *mask)
{
    g_autofree char *masked = sl_mask_apply(mask, text, len);
    if (masked != NULL) {
        text = masked;
        len = strlen(masked);
    }
    if (len <= SL_JOB_LOG_MAX_TEXT) {
        sl_json_append_quoted(out, text, len);
        return;
    }
    gsize max = SL_JOB_LOG_MAX_TEXT;
    while (max > 0 && ((guint8)text[max] & 0xc0) == 0x80)
        max--;
    g_autofree char *cut = g_malloc(max + sizeof CUT);
    memcpy(cut, text, max);
    memcpy(cut + max, CUT, sizeof CUT);
    sl_json_append_quoted(out, cut, max + sizeof CUT - 1);
}

void
sl_job_log_append(GString *out, gint64 timestamp, SlJobLogLevel level, SlJobLogSource source,
                  const char *message, gsize message_len, const char *stack, const SlMask *mask)
{
    g_string_append_printf(out,
                           "{\"timestamp\":%" G_GINT64_FORMAT
                           ",\"level\":\"%s\",\"logSource\":\"%s\",\"message\":",
                           timestamp, levels[level], sources[source]);
    append_text(out, message, message_len, mask);
    if (stack != NULL) {
        g_string_append(out, ",\"stackTrace\":");
        append_text(out, stack, strlen(stack), mask);
    }
    g_string_append(out, "}\n");
}

static int
find_name(const char *const *names, guint n, const char *text, gsize len)
{
    for (guint i = 0; i < n; i++)
        if (strlen(names[i]) == len && g_ascii_strncasecmp(names[i], text, len) == 0)
            return (int)i;
    return -1;
}

int
sl_job_log_level_value(const char *name)
{
    return find_name(levels, G_N_ELEMENTS(levels), name, strlen(name));
}

int
sl_job_log_source_value(const char *name)
{
    return find_name(sources, G_N_ELEMENTS(sources), name, strlen(name));
}

/* The text after `key` at *p, which is moved behind its closing quote. */
static gboolean
take_name(const char **p, const char *end, const char *key, const char *const *names, guint n,
          int *ret)
{
    gsize len = strlen(key);
    if ((gsize)(end - *p) <= len || memcmp(*p, key, len) != 0)
        return FALSE;
    const char *text = *p + len;
    const char *quote = memchr(text, '"', (gsize)(end - text));
    *ret = quote != NULL ? find_name(names, n, text, (gsize)(quote - text)) : -1;
    *p = quote != NULL ? quote + 1 : end;
    return *ret >= 0;
}

gboolean
sl_job_log_head_parse(const char *line, gsize len, SlJobLogHead *ret)
{
    static const char begin[] = "{\"timestamp\":", message[] = ",\"message\":";
    const char *p = line, *end = line + len;
    int level, source;
    if (len < sizeof begin || memcmp(p, begin, sizeof begin - 1) != 0)
        return FALSE;
    ret->timestamp = 0;
    for (p += sizeof begin - 1; p < end && g_ascii_isdigit(*p); p++) {
        if (ret->timestamp > G_MAXINT64 / 10 - 1)
            return FALSE;
        ret->timestamp = 10 * ret->timestamp + (*p - '0');
    }
    if (!take_name(&p, end, ",\"level\":\"", levels, G_N_ELEMENTS(levels), &level) ||
        !take_name(&p, end, ",\"logSource\":\"", sources, G_N_ELEMENTS(sources), &source) ||
        (gsize)(end - p) <= sizeof message - 1 || memcmp(p, message, sizeof message - 1) != 0)
        return FALSE;
    ret->level = (SlJobLogLevel)level;
    ret->source = (SlJobLogSource)source;
    ret->message = p + sizeof message - 1;
    return TRUE;
}
