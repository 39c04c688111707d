/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-table.h"

#include <glib/gi18n.h>
#include <string.h>

#include "ctl-api.h"
#include "ctl-text.h"
#include "ctl-yaml.h"

#define GAP 2         /* blanks between columns */
#define LEAST_WIDTH 8 /* a column does not shrink below this */

typedef struct {
    char *json;
    char *name;
    char **cells;
} Row;

struct CtlTable {
    const CtlColumn *columns;
    guint n_columns;
    GPtrArray *rows;
};

static void
row_free(gpointer data)
{
    Row *row = data;
    g_free(row->json);
    g_free(row->name);
    g_strfreev(row->cells);
    g_free(row);
}

CtlFormat
ctl_format_parse(const char *name)
{
    static const char *const names[] = {"table", "wide", "json", "jsonl", "yaml", "csv", "name"};
    for (guint i = 0; name != NULL && i < G_N_ELEMENTS(names); i++)
        if (strcmp(name, names[i]) == 0)
            return (CtlFormat)i;
    return CTL_FORMAT_TABLE;
}

gboolean
ctl_format_is_document(CtlFormat format)
{
    return format == CTL_FORMAT_JSON || format == CTL_FORMAT_JSONL || format == CTL_FORMAT_YAML;
}

void
ctl_format_append(CtlFormat format, const SlJsonDoc *doc, const SlJsonNode *node, GString *out)
{
    if (format == CTL_FORMAT_YAML) {
        ctl_yaml_append(out, doc, node);
        return;
    }
    if (format == CTL_FORMAT_JSON)
        ctl_json_append_pretty(out, doc, node);
    else
        g_string_append_len(out, node->p, (gssize)node->n);
    g_string_append_c(out, '\n');
}

CtlTable *
ctl_table_new(const CtlColumn *columns, guint n_columns)
{
    CtlTable *table = g_new0(CtlTable, 1);
    table->columns = columns;
    table->n_columns = n_columns;
    table->rows = g_ptr_array_new_with_free_func(row_free);
    return table;
}

void
ctl_table_free(CtlTable *table)
{
    if (table == NULL)
        return;
    g_ptr_array_unref(table->rows);
    g_free(table);
}

void
ctl_table_add(CtlTable *table, const char *json, gsize json_len, const char *name, ...)
{
    va_list cells;
    Row *row = g_new0(Row, 1);
    /* One line for jsonl: raw line breaks can only stand between tokens. */
    row->json = g_strdelimit(g_strndup(json, json_len), "\r\n", ' ');
    row->name = g_strdup(name);
    row->cells = g_new0(char *, table->n_columns + 1);
    va_start(cells, name);
    for (guint i = 0; i < table->n_columns; i++) {
        g_autofree char *cell = va_arg(cells, char *);
        row->cells[i] = cell != NULL && *cell != '\0' ? ctl_text_clean(cell, -1) : g_strdup("-");
    }
    va_end(cells);
    g_ptr_array_add(table->rows, row);
}

guint
ctl_table_get_n_rows(const CtlTable *table)
{
    return table->rows->len;
}

/* --- colours -----------------------------------------------------------------------------------
 */

const char *
ctl_style_bold(const CtlStyle *style)
{
    return style->color ? "\033[1m" : "";
}

const char *
ctl_style_reset(const CtlStyle *style)
{
    return style->color ? "\033[0m" : "";
}

void
ctl_style_append_state(const CtlStyle *style, const char *word, GString *out)
{
    static const struct {
        const char *word;
        const char *color;
    } rows[] = {
        {"succeeded", "\033[32m"}, {"active", "\033[32m"},   {"running", "\033[36m"},
        {"pending", "\033[36m"},   {"failed", "\033[1;31m"}, {"incomplete", "\033[33m"},
        {"cancelled", "\033[33m"}, {"inactive", "\033[2m"},  {"deprecated", "\033[2m"},
        {"locked", "\033[33m"},
    };
    const char *color = NULL;
    for (gsize i = 0; style->color && i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].word, word) == 0)
            color = rows[i].color;
    g_string_append_printf(out, "%s%s%s", color != NULL ? color : "", word,
                           color != NULL ? "\033[0m" : "");
}

/* --- the table ---------------------------------------------------------------------------------
 */

static gboolean
is_shown(const CtlTable *table, guint i, CtlFormat format)
{
    return format == CTL_FORMAT_WIDE || (table->columns[i].flags & CTL_COLUMN_WIDE) == 0;
}

/* Takes what is too much from the widest of the columns that may shrink. */
static void
shrink(const CtlTable *table, guint *widths, CtlFormat format, guint limit)
{
    for (;;) {
        guint total = 0, widest = G_MAXUINT;
        for (guint i = 0; i < table->n_columns; i++) {
            if (!is_shown(table, i, format))
                continue;
            total += widths[i] + (total > 0 ? GAP : 0);
            if ((table->columns[i].flags & CTL_COLUMN_SHRINK) != 0 && widths[i] > LEAST_WIDTH &&
                (widest == G_MAXUINT || widths[i] > widths[widest]))
                widest = i;
        }
        if (total <= limit || widest == G_MAXUINT)
            return;
        widths[widest] -= MIN(total - limit, widths[widest] > 2 * LEAST_WIDTH ? 4u : 1u);
    }
}

static guint *
measure(const CtlTable *table, CtlFormat format, const CtlStyle *style)
{
    guint *widths = g_new0(guint, table->n_columns);
    for (guint i = 0; i < table->n_columns; i++) {
        widths[i] = style->legend ? ctl_text_width(_(table->columns[i].title)) : 0;
        for (guint j = 0; j < table->rows->len; j++) {
            const Row *row = g_ptr_array_index(table->rows, j);
            widths[i] = MAX(widths[i], ctl_text_width(row->cells[i]));
        }
    }
    if (style->width > 0)
        shrink(table, widths, format, style->width);
    return widths;
}

static void
append_line(const CtlTable *table, const guint *widths, CtlFormat format, const CtlStyle *style,
            const char *const *cells, gboolean heading, GString *out)
{
    guint due = 0; /* blanks that are printed only when something follows */
    for (guint i = 0; i < table->n_columns; i++) {
        if (!is_shown(table, i, format))
            continue;
        guint flags = table->columns[i].flags;
        g_autofree char *cell =
            ctl_text_ellipsize(heading ? _(cells[i]) : cells[i], MAX(widths[i], 1), style->utf8);
        guint width = ctl_text_width(cell);
        guint pad = widths[i] > width ? widths[i] - width : 0;
        if ((flags & CTL_COLUMN_RIGHT) != 0)
            due += pad;
        for (; due > 0; due--)
            g_string_append_c(out, ' ');
        if ((flags & CTL_COLUMN_STATE) != 0 && !heading)
            ctl_style_append_state(style, cell, out);
        else
            g_string_append(out, cell);
        due = GAP + ((flags & CTL_COLUMN_RIGHT) != 0 ? 0 : pad);
    }
    g_string_append_c(out, '\n');
}

static void
print_table(const CtlTable *table, CtlFormat format, const CtlStyle *style, const char *summary,
            GString *out)
{
    g_autofree guint *widths = measure(table, format, style);
    if (style->legend && table->rows->len > 0) {
        g_autofree const char **titles = g_new0(const char *, table->n_columns + 1);
        for (guint i = 0; i < table->n_columns; i++)
            titles[i] = table->columns[i].title;
        g_string_append(out, ctl_style_bold(style));
        append_line(table, widths, format, style, titles, TRUE, out);
        /* The reset goes before the newline, or a pager colours the next line. */
        g_string_truncate(out, out->len - 1);
        g_string_append_printf(out, "%s\n", ctl_style_reset(style));
    }
    for (guint i = 0; i < table->rows->len; i++) {
        const Row *row = g_ptr_array_index(table->rows, i);
        append_line(table, widths, format, style, (const char *const *)row->cells, FALSE, out);
    }
    if (style->legend && summary != NULL)
        g_string_append_printf(out, "%s%s\n", table->rows->len > 0 ? "\n" : "", summary);
}

static void
print_json(const CtlTable *table, CtlFormat format, GString *out)
{
    g_autoptr(GString) array = g_string_new("[");
    for (guint i = 0; i < table->rows->len; i++) {
        const Row *row = g_ptr_array_index(table->rows, i);
        g_string_append_printf(array, "%s%s", i > 0 ? "," : "", row->json);
    }
    g_string_append_c(array, ']');
    g_autoptr(SlJsonDoc) doc = sl_json_read(array->str, array->len, NULL, NULL);
    if (doc != NULL)
        ctl_format_append(format, doc, sl_json_root(doc), out);
}

static void
append_csv_cell(const char *cell, GString *out)
{
    if (strpbrk(cell, ",\"\r\n") == NULL) {
        g_string_append(out, cell);
        return;
    }
    g_string_append_c(out, '"');
    for (; *cell != '\0'; cell++) {
        if (*cell == '"')
            g_string_append_c(out, '"');
        g_string_append_c(out, *cell);
    }
    g_string_append_c(out, '"');
}

static void
append_csv_line(const char *const *cells, guint n, GString *out)
{
    for (guint i = 0; i < n; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append_csv_cell(cells[i], out);
    }
    g_string_append_c(out, '\n');
}

/* The titles are not translated: they are names for programs. */
static void
print_csv(const CtlTable *table, const CtlStyle *style, GString *out)
{
    g_autofree const char **titles = g_new0(const char *, table->n_columns);
    for (guint i = 0; i < table->n_columns; i++)
        titles[i] = table->columns[i].title;
    if (style->legend)
        append_csv_line(titles, table->n_columns, out);
    for (guint i = 0; i < table->rows->len; i++) {
        const Row *row = g_ptr_array_index(table->rows, i);
        append_csv_line((const char *const *)row->cells, table->n_columns, out);
    }
}

void
ctl_table_print(const CtlTable *table, CtlFormat format, const CtlStyle *style, const char *summary,
                GString *out)
{
    if (format == CTL_FORMAT_TABLE || format == CTL_FORMAT_WIDE) {
        print_table(table, format, style, summary, out);
        return;
    }
    if (format == CTL_FORMAT_JSON || format == CTL_FORMAT_YAML) {
        print_json(table, format, out);
        return;
    }
    if (format == CTL_FORMAT_CSV) {
        print_csv(table, style, out);
        return;
    }
    for (guint i = 0; i < table->rows->len; i++) {
        const Row *row = g_ptr_array_index(table->rows, i);
        g_string_append_printf(out, "%s\n", format == CTL_FORMAT_JSONL ? row->json : row->name);
    }
}
