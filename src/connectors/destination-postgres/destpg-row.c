/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "destpg-row.h"

#include <sys/random.h>

#include "sl-error.h"
#include "sl-json-scan.h"
#include "sl-json-write.h"

#include "destpg-number.h"
#include "destpg-time.h"

#define N_META 4 /* raw_id, extracted_at, generation_id, meta */
#define NO_FIELD G_MAXUINT

struct DestpgRow {
    guint n;
    gboolean raw;
    DestpgKind *kinds;
    char **names;        /* of the fields, unquoted */
    char **quoted;       /* of the fields, as JSON strings */
    SlSpan *values;      /* of the record in hand, by field */
    guint *after;        /* field that followed field i (after[n]: first) in the last record */
    GHashTable *by_name; /* SlSpan* → field + 1 */
    SlSpan *keys;        /* of by_name */
    guint64 random[4];   /* state of xoshiro256**: ids need to be unique, not secret */
    gint64 generation_id;
    char *meta_head;         /* {"sync_id":1,"changes":[ */
    DestpgBuffer meta_plain; /* the whole field for a record without changes */
    GString *changes;
    DestpgBuffer text; /* an unescaped key; raw mode's data */
};

static guint
span_hash(gconstpointer key)
{
    const SlSpan *span = key;
    guint hash = 5381;
    for (gsize i = 0; i < span->n; i++)
        hash = hash * 33 + (guchar)span->p[i];
    return hash;
}

static gboolean
span_equal(gconstpointer a, gconstpointer b)
{
    const SlSpan *x = a, *y = b;
    return x->n == y->n && memcmp(x->p, y->p, x->n) == 0;
}

static void
index_fields(DestpgRow *row, const DestpgField *fields)
{
    row->by_name = g_hash_table_new(span_hash, span_equal);
    row->names = g_new0(char *, row->n + 1);
    row->quoted = g_new0(char *, row->n + 1);
    row->keys = g_new(SlSpan, row->n);
    for (guint i = 0; i < row->n; i++) {
        GString *quoted = g_string_new(NULL);
        sl_json_append_quoted(quoted, fields[i].field, strlen(fields[i].field));
        row->quoted[i] = g_string_free(quoted, FALSE);
        row->names[i] = g_strdup(fields[i].field);
        row->kinds[i] = fields[i].kind;
        row->keys[i] = (SlSpan){row->names[i], strlen(row->names[i])};
        g_hash_table_insert(row->by_name, &row->keys[i], GUINT_TO_POINTER(i + 1));
    }
}

DestpgRow *
destpg_row_new(const DestpgField *fields, guint n, gboolean raw, gint64 sync_id,
               gint64 generation_id)
{
    DestpgRow *row = g_new0(DestpgRow, 1);
    row->n = raw ? 0 : n;
    row->raw = raw;
    row->kinds = g_new(DestpgKind, row->n + 1);
    row->values = g_new(SlSpan, row->n + 1);
    row->after = g_new0(guint, row->n + 1);
    for (guint i = 0; i <= row->n; i++)
        row->after[i] = i == row->n ? 0 : i + 1;
    index_fields(row, fields);
    if (getrandom(row->random, sizeof row->random, 0) != sizeof row->random)
        for (guint i = 0; i < G_N_ELEMENTS(row->random); i++)
            row->random[i] = (guint64)g_random_int() << 32 | g_random_int();
    row->generation_id = generation_id;
    row->meta_head = g_strdup_printf("{\"sync_id\":%" G_GINT64_FORMAT ",\"changes\":[", sync_id);
    g_autofree char *plain = g_strconcat("\001", row->meta_head, "]}", NULL);
    destpg_value_put_text(&row->meta_plain, plain, strlen(plain));
    row->changes = g_string_new(NULL);
    return row;
}

void
destpg_row_free(DestpgRow *row)
{
    if (row == NULL)
        return;
    g_free(row->kinds);
    g_strfreev(row->names);
    g_strfreev(row->quoted);
    g_free(row->values);
    g_free(row->after);
    g_hash_table_unref(row->by_name);
    g_free(row->keys);
    g_free(row->meta_head);
    destpg_buffer_clear(&row->meta_plain);
    destpg_buffer_clear(&row->text);
    g_string_free(row->changes, TRUE);
    g_free(row);
}

static inline guint64
rotate(guint64 x, guint k)
{
    return x << k | x >> (64 - k);
}

static guint64
next_random(guint64 *s)
{
    guint64 result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* A random (version 4) UUID as text. */
static void
put_raw_id(DestpgRow *row, DestpgBuffer *out)
{
    static const char digits[] = "0123456789abcdef";
    static const guint8 places[] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
    guint64 random[2] = {next_random(row->random), next_random(row->random)};
    guint8 bytes[16];
    memcpy(bytes, random, sizeof bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    guint8 *to = destpg_buffer_reserve(out, 40);
    destpg_put32(to, 36);
    to += 4;
    to[8] = to[13] = to[18] = to[23] = '-';
    for (guint i = 0; i < 16; i++) {
        to[places[i]] = digits[bytes[i] >> 4];
        to[places[i] + 1] = digits[bytes[i] & 15];
    }
    out->len += 40;
}

static guint
find_field(DestpgRow *row, SlSpan key, gboolean escaped)
{
    if (escaped) {
        row->text.len = 0;
        /* Keys come without their quotes, which unescaping does not look at. */
        destpg_text_unescape(&row->text, (SlSpan){key.p - 1, key.n + 2}, FALSE);
        key = (SlSpan){(const char *)row->text.data, row->text.len};
    }
    return GPOINTER_TO_UINT(g_hash_table_lookup(row->by_name, &key)) - 1;
}

static inline guint
expect_field(DestpgRow *row, guint last, SlSpan key, gboolean escaped)
{
    guint guess = row->after[last];
    if (guess < row->n && !escaped && row->keys[guess].n == key.n &&
        memcmp(row->keys[guess].p, key.p, key.n) == 0)
        return guess;
    guint field = find_field(row, key, escaped);
    if (field != NO_FIELD)
        row->after[last] = field;
    return field;
}

/* Spans of the fields' values. FALSE: malformed for the strict walk. */
static gboolean
gather(DestpgRow *row, SlSpan data)
{
    gsize cursor = 0;
    SlSpan key, value;
    gboolean escaped, malformed;
    guint last = row->n;
    memset(row->values, 0, row->n * sizeof(SlSpan));
    while (sl_json_members_next(data, &cursor, &key, &escaped, &value, &malformed)) {
        guint field = expect_field(row, last, key, escaped);
        if (field != NO_FIELD) {
            row->values[field] = value;
            last = field;
        }
    }
    return !malformed;
}

/* Second try for what Python's writer and broken encoders make: NaN, lone surrogates, … */
static gboolean
gather_loosely(DestpgRow *row, SlSpan data)
{
    gsize cursor = 0;
    SlSpan key, value;
    gboolean malformed;
    memset(row->values, 0, row->n * sizeof(SlSpan));
    while (destpg_text_members_next(data, &cursor, &key, &value, &malformed)) {
        guint field = find_field(row, key, memchr(key.p, '\\', key.n) != NULL);
        if (field != NO_FIELD)
            row->values[field] = value;
    }
    return !malformed;
}

static void
add_change(DestpgRow *row, const char *quoted, DestpgVerdict verdict)
{
    static const struct {
        const char *change, *reason;
    } texts[] = {
        [DESTPG_STRIPPED] = {"TRUNCATED", "DESTINATION_SERIALIZATION_ERROR"},
        [DESTPG_REFUSED] = {"NULLED", "DESTINATION_SERIALIZATION_ERROR"},
        [DESTPG_TOO_BIG] = {"NULLED", "DESTINATION_FIELD_SIZE_LIMITATION"},
    };
    if (row->changes->len > 0)
        g_string_append_c(row->changes, ',');
    g_string_append_printf(row->changes, "{\"field\":%s,\"change\":\"%s\",\"reason\":\"%s\"}",
                           quoted, texts[verdict].change, texts[verdict].reason);
}

/* The changes that stand in the record's own meta come first. */
static void
take_upstream_changes(DestpgRow *row, SlSpan meta, DestpgScratch *scratch)
{
    gsize cursor = 0;
    SlSpan key, value;
    gboolean escaped, malformed;
    while (sl_json_members_next(meta, &cursor, &key, &escaped, &value, &malformed)) {
        if (key.n != 7 || memcmp(key.p, "changes", 7) != 0 || *value.p != '[')
            continue;
        if (scratch->doc == NULL)
            scratch->doc = g_new0(SlJsonDoc, 1);
        if (sl_json_read_into(scratch->doc, value.p, value.n, NULL, NULL) &&
            sl_json_root(scratch->doc)->count > 0)
            g_string_append_len(row->changes, value.p + 1, value.n - 2);
    }
}

static void
put_meta(DestpgRow *row, DestpgBuffer *out, DestpgScratch *scratch)
{
    if (row->changes->len == 0) {
        destpg_buffer_add(out, row->meta_plain.data, row->meta_plain.len);
        return;
    }
    g_string_prepend(row->changes, row->meta_head);
    g_string_append(row->changes, "]}");
    SlSpan text = {row->changes->str, row->changes->len};
    if (destpg_value_put(out, DESTPG_OBJECT, text, FALSE, scratch) >= DESTPG_REFUSED) {
        out->len -= 4; /* the NULL: upstream's part is beyond jsonb */
        destpg_buffer_add(out, row->meta_plain.data, row->meta_plain.len);
    }
}

static gint64
extracted_at(SlSpan emitted_at)
{
    gint64 ms;
    if (emitted_at.n == 0 || destpg_number_to_int64(emitted_at.p, emitted_at.n, &ms) != DESTPG_OK)
        ms = g_get_real_time() / 1000;
    return destpg_time_of_epoch_ms(ms);
}

/* Raw mode: the object without its null members. */
static gboolean
put_raw_data(DestpgRow *row, DestpgBuffer *out, SlSpan data, DestpgScratch *scratch)
{
    gsize cursor = 0;
    SlSpan key, value;
    gboolean escaped, malformed;
    row->text.len = 0;
    destpg_buffer_add(&row->text, "{", 1);
    while (sl_json_members_next(data, &cursor, &key, &escaped, &value, &malformed)) {
        if (value.n == 4 && memcmp(value.p, "null", 4) == 0)
            continue;
        const char *separator = row->text.len > 1 ? ",\"" : "\"";
        destpg_buffer_add(&row->text, separator, strlen(separator));
        destpg_buffer_add(&row->text, key.p, key.n);
        destpg_buffer_add(&row->text, "\":", 2);
        destpg_buffer_add(&row->text, value.p, value.n);
    }
    destpg_buffer_add(&row->text, "}", 1);
    SlSpan text = {(const char *)row->text.data, row->text.len};
    DestpgVerdict verdict =
        malformed ? DESTPG_REFUSED : destpg_value_put(out, DESTPG_OBJECT, text, FALSE, scratch);
    if (verdict == DESTPG_STRIPPED)
        add_change(row, "\"_airbyte_data\"", verdict);
    return verdict < DESTPG_REFUSED;
}

static void
put_fields(DestpgRow *row, DestpgBuffer *out, gboolean checked, DestpgScratch *scratch)
{
    for (guint i = 0; i < row->n; i++) {
        DestpgVerdict verdict =
            destpg_value_put(out, row->kinds[i], row->values[i], checked, scratch);
        if (G_UNLIKELY(verdict != DESTPG_KEPT))
            add_change(row, row->quoted[i], verdict);
    }
}

gboolean
destpg_row_append(DestpgRow *row, DestpgBuffer *out, SlSpan data, SlSpan emitted_at, SlSpan meta,
                  DestpgScratch *scratch, GError **error)
{
    gsize start = out->len;
    gboolean checked = row->raw || gather(row, data), good = checked;
    if (!checked)
        good = gather_loosely(row, data);
    g_string_truncate(row->changes, 0);
    destpg_put16(destpg_buffer_reserve(out, 2), N_META + (row->raw ? 1 : row->n));
    out->len += 2;
    put_raw_id(row, out);
    destpg_value_put_int64(out, extracted_at(emitted_at));
    destpg_value_put_int64(out, row->generation_id);
    if (G_UNLIKELY(meta.n > 2))
        take_upstream_changes(row, meta, scratch);
    if (row->raw)
        good = put_raw_data(row, out, data, scratch);
    else
        put_fields(row, out, checked, scratch);
    if (!good) {
        out->len = start;
        return sl_error_set(error, SL_ERROR_CONNECTOR, "record data is not a valid JSON object");
    }
    put_meta(row, out, scratch);
    return TRUE;
}

void
destpg_row_begin_copy(DestpgBuffer *out)
{
    /* signature, flags, length of the header extension (sql-copy, "Binary Format") */
    destpg_buffer_add(out, "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
}

void
destpg_row_end_copy(DestpgBuffer *out)
{
    destpg_buffer_add(out, "\377\377", 2);
}
