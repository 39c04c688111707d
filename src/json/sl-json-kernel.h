/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-scan.h"

/* Private to this folder: the few loops that are written for instruction sets, and the shapes that
 * they work on. The loops exist once (sl-json-kernel-body.h) over four operations on 64 bytes,
 * which each set gives in its own way. */

/* What may stand between two literals of a template. */
typedef enum {
    SL_JSON_HOLE_DATA,   /* an object, checked for quotes and braces */
    SL_JSON_HOLE_DIGITS, /* an unsigned integer */
} SlJsonHole;

/* A span inside a literal; n = 0: it was absent when the template was learned. */
typedef struct {
    guint16 offset, n;
    guint8 literal;
    gboolean given;
} SlJsonTemplateSpan;

#define SL_JSON_TEMPLATE_LITERALS 3
#define SL_JSON_TEMPLATE_BYTES 1024 /* of literals; longer headers are not learned */

/* What the lines of one stream have in common: literal, hole, literal[, hole, literal]. A line that
 * fits says by its literals what the line said that the template was learned from. */
typedef struct {
    guint32 header; /* its number, for SlMessage */
    guint8 n_holes;
    guint8 hole[SL_JSON_TEMPLATE_LITERALS - 1];
    guint8 n_digits; /* of the integer it was learned from; others fit too */
    gboolean stream_escaped, ns_escaped;
    SlJsonTemplateSpan stream, ns, meta;
    guint16 payload_start; /* in the first literal */
    guint16 payload_end;   /* in the last one */
    guint16 start[SL_JSON_TEMPLATE_LITERALS], n[SL_JSON_TEMPLATE_LITERALS]; /* in `text` */
    /* Literals start at multiples of 64 and may be read in whole blocks. */
    char text[SL_JSON_TEMPLATE_BYTES + SL_JSON_TEMPLATE_LITERALS * 64];
} SlJsonTemplate;

typedef struct {
    const char *name;
    gboolean (*supported)(void);
    /* Behind the object whose brace is at p; NULL when it does not end before `end`, behind which
     * SL_JSON_PADDING bytes must be readable. */
    const char *(*skip_object)(const char *p, const char *end);
    /* The same for an object or array, reading nothing behind `end`. */
    const char *(*skip_container)(const char *p, const char *end);
    /* Does the line (without white space at its end; padded) fit the template? Then all of *ret is
     * set. Else ret->data may hold what was learned of the object at data.p, so that no bytes are
     * skipped twice: its length, or 0 when it does not end. Before the first try, data.p is NULL.
     */
    gboolean (*match)(const SlJsonTemplate *t, const char *line, const char *end, SlMessage *ret);
    /* The same for the line at `from` of a text up to `to` (padded) whose end nobody has looked for
     * yet. Behind its newline, or NULL. */
    const char *(*match_next)(const SlJsonTemplate *t, const char *from, const char *to,
                              SlMessage *ret);
    /* Where the commas, colons and brackets of the object at p are that are not inside strings, in
     * `marks` (room for n + 8); and for every 64 bytes, which are quotes, backslashes, control
     * characters or no ASCII. Reads nothing behind p + n. How many marks; 0: a string is open. */
    guint (*find_marks)(const char *p, gsize n, guint32 *marks, guint64 *special);
} SlJsonKernel;

extern const SlJsonKernel sl_json_kernel_portable;
#ifdef __x86_64__
extern const SlJsonKernel sl_json_kernel_sse2;
extern const SlJsonKernel sl_json_kernel_avx2;
#endif

/* The kernel of that name; NULL when there is none or this processor lacks it. */
const SlJsonKernel *sl_json_kernel_find(const char *name);

/* The one chosen for the process: $SLUICE_JSON_ISA, or the best. */
const SlJsonKernel *sl_json_kernel_get(void);

/* Sets *ret to what the line, just scanned as `m`, has in common with its likes. FALSE, and *ret is
 * untouched: too long, or of a shape that templates cannot hold. */
gboolean sl_json_template_learn(SlJsonTemplate *ret, const char *line, const char *end,
                                const SlMessage *m);
