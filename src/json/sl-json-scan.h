/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-json-read.h"

/* The hot path: finds the header of one Airbyte Protocol line in a single pass, without building
 * anything, and gives the spans of what the orchestrator needs. Records are never re-serialised.
 *
 * The scanner checks structure, not grammar, inside `data`. Whatever is unusual (an escaped or a
 * repeated known key, data that is not an object, bytes after the closing brace, …) is judged by
 * the strict reader inside the same call; the caller sees one answer. */

typedef enum {
    SL_MESSAGE_NONE, /* not a protocol message: a line to be logged */
    SL_MESSAGE_RECORD,
    SL_MESSAGE_STATE,
    SL_MESSAGE_LOG,
    SL_MESSAGE_SPEC,
    SL_MESSAGE_CONNECTION_STATUS,
    SL_MESSAGE_CATALOG,
    SL_MESSAGE_TRACE,
    SL_MESSAGE_CONTROL,
    SL_MESSAGE_DESTINATION_CATALOG,
    SL_N_MESSAGES
} SlMessageType;

typedef struct {
    SlMessageType type;
    SlSpan
        payload; /* value of the member that belongs to the type ("record": {…}); n = 0: absent */
    /* RECORD only. Strings are raw: without quotes, escapes untouched. n = 0 and p = NULL: absent
     * or null. */
    SlSpan stream;
    SlSpan ns;   /* namespace; null, "" and missing all give n = 0 */
    SlSpan data; /* braces included: its n is the byte count of the statistics */
    SlSpan meta;
    SlSpan emitted_at; /* digits, as sent */
    gboolean stream_escaped;
    gboolean ns_escaped;
    gboolean
        looks_like_record; /* type NONE, but the line starts as a record: broken, not chatter */
    /* Not 0: all messages of this scanner with this number have the same names, letter by letter.
     */
    guint32 header;
} SlMessage;

typedef struct SlJsonScanner SlJsonScanner;

/* One per input. Holds what was learned of the lines seen so far (header templates per stream).
 * Not thread-safe. The instruction set is chosen once per process;
 * SLUICE_JSON_ISA=sse2|avx2|portable forces one, for tests. */
SlJsonScanner *sl_json_scanner_new(void);
void sl_json_scanner_free(SlJsonScanner *scanner);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlJsonScanner, sl_json_scanner_free)

/* Readable bytes that must follow every line handed to the scanner. Their values do not matter. */
#define SL_JSON_PADDING 64

/* Scans one line (with or without its newline; a trailing \r is white space). Never fails: what is
 * not a message has type SL_MESSAGE_NONE. Spans point into `line`. */
void sl_json_scan(SlJsonScanner *scanner, const char *line, gsize len, SlMessage *ret);

/* The same for the line at `from`, whose end nobody has looked for: one pass less over the bytes
 * than sl_json_find_newline() and sl_json_scan(). Returns the start of the next line (the line is
 * [from, returned), newline included), or NULL when there is no newline before `to`; then read on
 * and call again with the same *searched. It is 0 for every new line and says how far this one has
 * been searched. A last line without newline is for sl_json_scan(). Padding must follow `to`. */
const char *sl_json_scan_next(SlJsonScanner *scanner, const char *from, const char *to,
                              gsize *searched, SlMessage *ret);

/* Walks the top-level members of an object span (`data`), for selection, mappers and destinations.
 * Start with *cursor = 0. FALSE at the end; ret_key has no quotes. The object must have passed
 * sl_json_scan() or the strict reader; a malformed one ends the walk with *ret_malformed. */
gboolean sl_json_members_next(SlSpan object, gsize *cursor, SlSpan *ret_key, gboolean *ret_escaped,
                              SlSpan *ret_value, gboolean *ret_malformed);

/* All members at once, in memory that is kept for the next object: some times as fast as the walk
 * for whom needs most of them. The same members as the walk's; FALSE where that finds the object
 * malformed. Begin with {0}. */
typedef struct {
    SlSpan key, value;
    gboolean escaped;
} SlJsonMember;

typedef struct {
    SlJsonMember *list;
    guint n;
    gboolean sparse;   /* see _read_some() */
    guint n_allocated; /* and what follows: private */
    guint n_marks;
    guint32 *marks;
    guint64 *special;
    gsize size; /* of objects that these two are made for */
} SlJsonMembers;

gboolean sl_json_members_read(SlJsonMembers *members, SlSpan object);

/* The same for whom needs few: members whose names have none of the bits are left out, when
 * `sparse` is set after it. That is so of text without white space. */
static inline guint64
sl_json_name_bit(const char *name, gsize n)
{
    guint bit = n > 0 ? (guint)n + (guint8)name[n - 1] * 7u + (guint8)name[n / 2] * 13u : 0;
    return G_GUINT64_CONSTANT(1) << (bit & 63);
}

gboolean sl_json_members_read_some(SlJsonMembers *members, SlSpan object, guint64 bits);
void sl_json_members_clear(SlJsonMembers *members);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SlJsonMembers, sl_json_members_clear)

/* Position of the first newline in [from, to), or `to`. The SIMD memchr of the chosen set. */
const char *sl_json_find_newline(const char *from, const char *to);

const char *sl_message_type_name(SlMessageType type); /* "RECORD" */
