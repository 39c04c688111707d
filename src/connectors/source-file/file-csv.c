/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "file-csv.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef enum { PARSE_ROW, PARSE_MORE, PARSE_ERROR } Parse;

void
file_csv_init(FileCsv *csv, FileInput *input, const FileOptions *options)
{
    *csv = (FileCsv){.input = input, .separator = options->separator, .quote = options->quote};
    csv->size = 64;
    csv->fields = g_new(FileField, csv->size);
}

void
file_csv_clear(FileCsv *csv)
{
    g_clear_pointer(&csv->fields, g_free);
}

/* The first separator or newline in [p, end), or end. Up to 15 bytes behind end are read. */
static inline char *
find_field_end(char *p, char *end, char separator)
{
#ifdef __SSE2__
    const __m128i sep = _mm_set1_epi8(separator), newline = _mm_set1_epi8('\n');
    for (; p < end; p += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)p);
        int found = _mm_movemask_epi8(
            _mm_or_si128(_mm_cmpeq_epi8(bytes, sep), _mm_cmpeq_epi8(bytes, newline)));
        if (found != 0)
            return MIN(p + __builtin_ctz((guint)found), end);
    }
    return end;
#else
    while (p < end && *p != separator && *p != '\n')
        p++;
    return p;
#endif
}

static inline void
add_field(FileCsv *csv, char *p, gsize n, gboolean quoted)
{
    if (csv->n_fields == csv->size) {
        csv->size *= 2;
        csv->fields = g_renew(FileField, csv->fields, csv->size);
    }
    csv->fields[csv->n_fields++] = (FileField){p, n, quoted};
}

/* A quoted field; *p is behind the opening quote, and behind the closing one at the end. Doubled
 * quotes stay doubled: the row may be parsed again. */
static Parse
parse_quoted(FileCsv *csv, char **p, GError **error)
{
    const FileInput *input = csv->input;
    char *from = *p, *at = from;
    for (;;) {
        char *quote = memchr(at, csv->quote, (gsize)(input->end - at));
        if (quote == NULL || (quote + 1 == input->end && !input->at_end)) {
            if (!input->at_end)
                return PARSE_MORE;
            file_input_refuse(input, csv->line, error, "a quote is never closed");
            return PARSE_ERROR;
        }
        if (quote + 1 < input->end && quote[1] == csv->quote) {
            at = quote + 2;
            continue;
        }
        add_field(csv, from, (gsize)(quote - from), TRUE);
        *p = quote + 1;
        return PARSE_ROW;
    }
}

/* What stands behind a field: ret_last when it was the row's last. */
static Parse
parse_behind_quote(FileCsv *csv, char **p, gboolean *ret_last, GError **error)
{
    const FileInput *input = csv->input;
    char *at = *p;
    if (at < input->end && *at == '\r' && csv->separator != '\r') {
        if (at + 1 == input->end && !input->at_end)
            return PARSE_MORE;
        if (at + 1 == input->end || at[1] == '\n')
            at++;
    }
    if (at == input->end && !input->at_end)
        return PARSE_MORE;
    *ret_last = at == input->end || *at == '\n';
    if (!*ret_last && *at != csv->separator) {
        file_input_refuse(input, csv->line, error, "field %u: text behind a closing quote",
                          csv->n_fields);
        return PARSE_ERROR;
    }
    *p = at == input->end ? at : at + 1;
    return PARSE_ROW;
}

/* A row from input->p; ret_next: behind its line end. */
static Parse
parse_row(FileCsv *csv, char **ret_next, GError **error)
{
    const FileInput *input = csv->input;
    char *p = input->p;
    gboolean last = FALSE;
    csv->n_fields = 0;
    while (!last) {
        if (p == input->end && !input->at_end)
            return PARSE_MORE;
        if (p < input->end && *p == csv->quote) {
            p++;
            Parse parse = parse_quoted(csv, &p, error);
            if (parse == PARSE_ROW)
                parse = parse_behind_quote(csv, &p, &last, error);
            if (parse != PARSE_ROW)
                return parse;
            continue;
        }
        char *end = find_field_end(p, input->end, csv->separator);
        if (end == input->end && !input->at_end)
            return PARSE_MORE;
        last = end == input->end || *end == '\n';
        gsize n = (gsize)(end - p);
        add_field(csv, p, last && n > 0 && end[-1] == '\r' ? n - 1 : n, FALSE);
        p = end == input->end ? end : end + 1;
    }
    *ret_next = p;
    return PARSE_ROW;
}

/* Makes doubled quotes single, in place. */
static void
undouble(FileCsv *csv, FileField *field)
{
    char *quote = memchr(field->p, csv->quote, field->n);
    if (quote == NULL)
        return;
    char *end = field->p + field->n, *out = quote;
    for (char *p = quote; p < end; p++) {
        *out++ = *p;
        if (*p == csv->quote)
            p++;
    }
    field->n = (gsize)(out - field->p);
}

static gboolean
is_ascii(const char *p, gsize n)
{
    guint64 word, all = 0;
    for (; n >= sizeof word; p += sizeof word, n -= sizeof word) {
        memcpy(&word, p, sizeof word);
        all |= word;
    }
    for (; n > 0; p++, n--)
        all |= (guchar)*p & 0x80;
    return (all & G_GUINT64_CONSTANT(0x8080808080808080)) == 0;
}

gboolean
file_input_check_utf8(const FileInput *input, guint64 line, const char *p, gsize n, GError **error)
{
    /* g_utf8_validate_len() refuses NUL, which is valid UTF-8 and valid in JSON as \u0000. */
    const char *end = p + n, *at = p;
    if (is_ascii(p, n))
        return TRUE;
    while (!g_utf8_validate_len(at, (gsize)(end - at), &at) && *at == '\0' && at < end)
        at++;
    return at == end || file_input_refuse(input, line, error,
                                          "not UTF-8; another encoding is set in reader_options "
                                          "(\"encoding\": \"latin-1\")");
}

static guint64
count_newlines(const char *p, const char *end)
{
    guint64 n = 0;
    while ((p = memchr(p, '\n', (gsize)(end - p))) != NULL) {
        n++;
        p++;
    }
    return n;
}

static gboolean
finish_row(FileCsv *csv, char *next, GError **error)
{
    FileInput *input = csv->input;
    gboolean quoted = FALSE;
    char *from = input->p;
    for (guint i = 0; i < csv->n_fields && !quoted; i++)
        quoted = csv->fields[i].quoted;
    input->p = next;
    input->line += quoted ? count_newlines(from, next) : 1;
    /* Before undouble(), which leaves halves of characters behind a field. */
    if (!file_input_check_utf8(input, csv->line, from, (gsize)(next - from), error))
        return FALSE;
    for (guint i = 0; quoted && i < csv->n_fields; i++)
        if (csv->fields[i].quoted)
            undouble(csv, &csv->fields[i]);
    return TRUE;
}

gboolean
file_csv_next(FileCsv *csv, gboolean *ret_end, GError **error)
{
    FileInput *input = csv->input;
    for (;;) {
        char *next;
        *ret_end = input->p == input->end && input->at_end;
        if (*ret_end)
            return TRUE;
        csv->line = input->line;
        Parse parse = parse_row(csv, &next, error);
        if (parse == PARSE_ERROR || (parse == PARSE_MORE && !file_input_fill(input, error)))
            return FALSE;
        if (parse == PARSE_MORE)
            continue;
        if (!finish_row(csv, next, error))
            return FALSE;
        if (csv->n_fields > 1 || csv->fields[0].n > 0 || csv->fields[0].quoted)
            return TRUE;
    }
}

gboolean
file_input_next_line(FileInput *input, SlSpan *ret_line, gboolean *ret_end, GError **error)
{
    for (gsize scanned = 0;;) {
        gsize n = (gsize)(input->end - input->p);
        char *newline = memchr(input->p + scanned, '\n', n - scanned);
        *ret_end = n == 0 && input->at_end;
        if (newline == NULL && !input->at_end) {
            scanned = n;
            if (!file_input_fill(input, error))
                return FALSE;
            continue;
        }
        char *end = newline != NULL ? newline : input->end;
        *ret_line = (SlSpan){input->p, (gsize)(end - input->p)};
        input->p = newline != NULL ? newline + 1 : input->end;
        input->line++;
        if (ret_line->n > 0 && ret_line->p[ret_line->n - 1] == '\r')
            ret_line->n--;
        return TRUE;
    }
}

gboolean
file_input_skip_lines(FileInput *input, gint64 n, GError **error)
{
    gboolean end = FALSE;
    SlSpan ignored;
    while (n-- > 0 && !end)
        if (!file_input_next_line(input, &ignored, &end, error))
            return FALSE;
    return TRUE;
}
