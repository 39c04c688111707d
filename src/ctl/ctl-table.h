/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* A listing: rows of cells for people, the API's own objects for programs, names for scripts. */

typedef enum {
    CTL_FORMAT_TABLE,
    CTL_FORMAT_WIDE, /* with the columns that a table leaves out */
    CTL_FORMAT_JSON,
    CTL_FORMAT_JSONL,
    CTL_FORMAT_YAML,
    CTL_FORMAT_CSV, /* RFC 4180, all columns */
    CTL_FORMAT_NAME,
} CtlFormat;

/* NULL is a table. The names are those of --output's choices. */
CtlFormat ctl_format_parse(const char *name);

/* Formats that show the API's own objects: a document on several lines, on one, or as YAML. */
gboolean ctl_format_is_document(CtlFormat format);
void ctl_format_append(CtlFormat format, const SlJsonDoc *doc, const SlJsonNode *node,
                       GString *out);

typedef enum {
    CTL_COLUMN_RIGHT = 1 << 0,
    CTL_COLUMN_WIDE = 1 << 1,   /* only with -o wide */
    CTL_COLUMN_SHRINK = 1 << 2, /* gives way when the terminal is narrow */
    CTL_COLUMN_STATE = 1 << 3,  /* coloured by its word */
} CtlColumnFlags;

typedef struct {
    const char *title; /* N_() */
    guint flags;
} CtlColumn;

typedef struct {
    guint width; /* of the terminal; 0: no limit */
    gboolean color;
    gboolean utf8;
    gboolean legend;
} CtlStyle;

typedef struct CtlTable CtlTable;

CtlTable *ctl_table_new(const CtlColumn *columns, guint n_columns);
void ctl_table_free(CtlTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CtlTable, ctl_table_free)

/* A row. Takes the cells, as many as there are columns (NULL is "-"); copies json and name. */
void ctl_table_add(CtlTable *table, const char *json, gsize json_len, const char *name, ...);

guint ctl_table_get_n_rows(const CtlTable *table);

/* Appends the listing. `summary` stands under a table ("3 connections."), NULL: nothing. */
void ctl_table_print(const CtlTable *table, CtlFormat format, const CtlStyle *style,
                     const char *summary, GString *out);

/* The word in the colour of what it means: green, red, yellow or none. */
void ctl_style_append_state(const CtlStyle *style, const char *word, GString *out);
const char *ctl_style_bold(const CtlStyle *style);
const char *ctl_style_reset(const CtlStyle *style);
