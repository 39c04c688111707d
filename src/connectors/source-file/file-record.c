/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "file-record.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "file-scan.h"

/* The longest escape, and what 16-byte stores write over the end. */
#define ESCAPE_MAX 6
#define SLACK 32

gsize
file_record_max(const FileCsv *csv, FileColumn *const *columns)
{
    gsize max = SLACK;
    for (guint i = 0; i < csv->n_fields; i++)
        if (columns[i] != NULL)
            max += columns[i]->key_len + csv->fields[i].n * ESCAPE_MAX + SLACK;
    return max;
}

static char *
put_escaped(char *p, guchar c)
{
    static const char shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    static const char digits[] = "0123456789abcdef";
    *p++ = '\\';
    for (guint i = 0; i + 1 < sizeof shorts; i += 2) {
        if ((guchar)shorts[i] == c) {
            *p++ = shorts[i + 1];
            return p;
        }
    }
    memcpy(p, "u00", 3);
    p[3] = digits[c >> 4];
    p[4] = digits[c & 15];
    return p + 5;
}

/* The text is UTF-8. Reads up to 15 bytes behind it (FILE_PADDING), writes up to 15 (SLACK). */
static char *
put_string(char *p, const char *text, gsize n)
{
    const char *end = text + n;
    *p++ = '"';
    while (text < end) {
#ifdef __SSE2__
        __m128i bytes = _mm_loadu_si128((const __m128i *)text);
        _mm_storeu_si128((__m128i *)p, bytes);
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
        int found = _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)));
        gsize plain = found == 0 ? 16 : (gsize)__builtin_ctz((guint)found);
        plain = MIN(plain, (gsize)(end - text));
        text += plain;
        p += plain;
        if (plain == 16 || text == end)
            continue;
        p = put_escaped(p, (guchar)*text++);
#else
        guchar c = (guchar)*text++;
        if (c < 0x20 || c == '"' || c == '\\')
            p = put_escaped(p, c);
        else
            *p++ = (char)c;
#endif
    }
    *p++ = '"';
    return p;
}

/* ".5" and "5." are no JSON: a zero is put where a digit is missing. */
static char *
put_number(char *p, SlSpan text)
{
    for (gsize i = 0; i < text.n; i++) {
        gboolean point = text.p[i] == '.';
        if (point && (i == 0 || !g_ascii_isdigit(text.p[i - 1])))
            *p++ = '0';
        *p++ = text.p[i];
        if (point && (i + 1 == text.n || !g_ascii_isdigit(text.p[i + 1])))
            *p++ = '0';
    }
    return p;
}

/* A date-time has a T; many files have a blank. */
static char *
put_timestamp(char *p, SlSpan text)
{
    *p++ = '"';
    memcpy(p, text.p, text.n);
    if (text.n > 10)
        p[10] = 'T';
    p += text.n;
    *p++ = '"';
    return p;
}

static gboolean
fits(FileType wanted, FileType found)
{
    return wanted == found || (wanted == FILE_TYPE_NUMBER && found == FILE_TYPE_INTEGER) ||
           (wanted == FILE_TYPE_TIMESTAMP_TZ && found == FILE_TYPE_TIMESTAMP);
}

/* NULL: the text does not have the type. */
static char *
put_typed(char *p, FileType type, SlSpan text)
{
    if (!fits(type, file_type_of_text(text.p, text.n)))
        return NULL;
    switch (type) {
    case FILE_TYPE_BOOLEAN: {
        const char *word = g_ascii_tolower(*text.p) == 't' ? "true" : "false";
        return (char *)memcpy(p, word, strlen(word)) + strlen(word);
    }
    case FILE_TYPE_TIMESTAMP:
    case FILE_TYPE_TIMESTAMP_TZ:
        return put_timestamp(p, text);
    default:
        return put_number(p, text);
    }
}

static char *
put_field(char *p, const FileOptions *options, const FileField *field, FileColumn *column,
          FileColumn **ret_misfit)
{
    if (file_field_is_null(options, field)) {
        memcpy(p, "null", 4);
        return p + 4;
    }
    gboolean text = column->type == FILE_TYPE_NULL || column->type == FILE_TYPE_DATE ||
                    column->type >= FILE_TYPE_STRING;
    if (!text) {
        char *end = put_typed(p, column->type, file_field_trimmed(field));
        if (end != NULL)
            return end;
        *ret_misfit = column;
    }
    return put_string(p, field->p, field->n);
}

char *
file_record_put(const FileOptions *options, const FileCsv *csv, FileColumn *const *columns, char *p,
                FileColumn **ret_misfit)
{
    gboolean first = TRUE;
    *ret_misfit = NULL;
    *p++ = '{';
    for (guint i = 0; i < csv->n_fields; i++) {
        FileColumn *column = columns[i];
        if (column == NULL)
            continue;
        if (!first)
            *p++ = ',';
        first = FALSE;
        memcpy(p, column->key, column->key_len);
        p = put_field(p + column->key_len, options, &csv->fields[i], column, ret_misfit);
    }
    *p++ = '}';
    return p;
}
