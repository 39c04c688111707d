/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-scan-private.h"

/* A line goes down this list until somebody is sure of it:
 *   1. a learned template (sl-json-kernel-body.h): its literals fit, only data and time differ;
 *   2. the generic scanner, here: a RECORD in any order and spacing, without surprises;
 *   3. the judge: the strict reader.
 * Nothing is ever guessed: each of the first two either gives what the judge would give, or passes
 * the line on. */

#define N_TEMPLATES 16
/* After so many lines in a row that fitted no template, headers seem to differ in every line:
 * templates are tried and learned only now and then. */
#define MISSES_IN_A_ROW 64
#define RETRY_EVERY 32
#define N_NAMES 256
/* The stream before is the best guess for the stream of a line, and costs nothing when it is right.
 * After so many changes of stream in short order, the name is asked first, for some lines. */
#define MIXED_CHANGES 16
#define MIXED_LINES 1000

struct SlJsonScanner {
    const SlJsonKernel *kernel;
    SlJsonDoc doc; /* working memory of the judge */
    guint misses;
    guint32 learned; /* templates so far */
    guint n_templates;
    guint8 order[N_TEMPLATES]; /* indexes, about the ones used last first; then the free ones */
    SlJsonTemplate templates[N_TEMPLATES];
    guint8 last;          /* the template that fitted last */
    guint changes, mixed; /* see MIXED_CHANGES: points so far, lines to go */
    /* Templates by the bytes where the one learned last has its stream's name. */
    gsize name_offset;
    guint8 by_name[N_NAMES];
};

/* --- the generic scanner ---------------------------------------------------------------------- */

typedef struct {
    const char *p, *end;
    const SlJsonKernel *kernel;
    SlJsonDoc *doc;
    SlMessage *m;
    guint depth; /* open objects */
} Scan;

typedef struct {
    const char *name; /* NULL ends the table: any other key */
    gsize n;
    gboolean (*take)(Scan *s); /* FALSE: somebody else must look at this line */
} Member;

static gboolean scan_members(Scan *s, const Member *members);

/* Moves past `c` and the white space behind it. */
static inline gboolean
accept(Scan *s, char c)
{
    if (s->p == s->end || *s->p != c)
        return FALSE;
    s->p = sl_json_skip_space(s->p + 1, s->end);
    return TRUE;
}

static gboolean
take_text(Scan *s, SlSpan *ret, gboolean *ret_escaped)
{
    SlJsonFault fault;
    if (s->p == s->end || *s->p != '"')
        return FALSE;
    const char *next = sl_json_string_end(s->p, s->end, ret_escaped, &fault);
    if (next == NULL)
        return FALSE;
    *ret = (SlSpan){s->p + 1, (gsize)(next - s->p) - 2};
    s->p = next;
    return TRUE;
}

static gboolean
take_null(Scan *s)
{
    if (s->end - s->p < 4 || memcmp(s->p, "null", 4) != 0)
        return FALSE;
    s->p += 4;
    return TRUE;
}

/* Any value, checked to the letter: outside data nothing passes that the judge would refuse. */
static gboolean
take_other(Scan *s)
{
    SlJsonFault fault;
    gboolean too_deep;
    const char *next = sl_json_read_value(s->doc, s->p, s->end, SL_JSON_MAX_DEPTH - s->depth, 0,
                                          &fault, &too_deep);
    if (next == NULL)
        return FALSE;
    s->p = next;
    return TRUE;
}

static gboolean
take_type(Scan *s)
{
    SlSpan type;
    gboolean escaped;
    return take_text(s, &type, &escaped) && type.n == 6 && memcmp(type.p, "RECORD", 6) == 0;
}

static gboolean
take_stream(Scan *s)
{
    return take_text(s, &s->m->stream, &s->m->stream_escaped);
}

static gboolean
take_namespace(Scan *s)
{
    if (take_null(s))
        return TRUE;
    if (!take_text(s, &s->m->ns, &s->m->ns_escaped))
        return FALSE;
    if (s->m->ns.n == 0)
        s->m->ns.p = NULL;
    return TRUE;
}

static gboolean
take_data(Scan *s)
{
    const char *data = s->p;
    if (s->p == s->end || *s->p != '{')
        return FALSE;
    /* A template that did not fit in the end may have skipped it already. */
    if (s->m->data.p != data) {
        const char *next = s->kernel->skip_object(data, s->end);
        s->m->data = (SlSpan){data, next != NULL ? (gsize)(next - data) : 0};
    }
    s->p = data + s->m->data.n;
    return s->m->data.n != 0;
}

static gboolean
take_meta(Scan *s)
{
    const char *meta = s->p;
    if (take_null(s))
        return TRUE;
    if (s->p == s->end || *s->p != '{' || !take_other(s))
        return FALSE;
    s->m->meta = (SlSpan){meta, (gsize)(s->p - meta)};
    return TRUE;
}

static gboolean
take_emitted_at(Scan *s)
{
    SlJsonFault fault;
    if (take_null(s))
        return TRUE;
    if (s->p == s->end || (*s->p != '-' && !g_ascii_isdigit(*s->p)))
        return FALSE;
    const char *next = sl_json_number_end(s->p, s->end, &fault);
    if (next == NULL)
        return FALSE;
    s->m->emitted_at = (SlSpan){s->p, (gsize)(next - s->p)};
    s->p = next;
    return TRUE;
}

static gboolean
take_record(Scan *s)
{
    static const Member members[] = {
        {"stream", 6, take_stream},
        {"data", 4, take_data},
        {"emitted_at", 10, take_emitted_at},
        {"namespace", 9, take_namespace},
        {"meta", 4, take_meta},
        {NULL, 0, take_other},
    };
    const char *record = s->p;
    if (!scan_members(s, members))
        return FALSE;
    s->m->payload = (SlSpan){record, (gsize)(s->p - record)};
    return TRUE;
}

/* Looks up the key at s->p and moves to its value. NULL: an escaped, repeated or broken key. */
static const Member *
take_key(Scan *s, const Member *members, guint *seen)
{
    SlSpan key;
    gboolean escaped;
    if (!take_text(s, &key, &escaped) || escaped)
        return NULL;
    s->p = sl_json_skip_space(s->p, s->end);
    if (!accept(s, ':'))
        return NULL;
    guint i = 0;
    while (members[i].name != NULL &&
           (members[i].n != key.n || memcmp(members[i].name, key.p, key.n) != 0))
        i++;
    if (members[i].name != NULL && (*seen & 1u << i) != 0)
        return NULL;
    *seen |= 1u << i;
    return &members[i];
}

/* The object at s->p; ends just behind its brace. */
static gboolean
scan_members(Scan *s, const Member *members)
{
    guint seen = 0;
    if (!accept(s, '{'))
        return FALSE;
    s->depth++;
    do {
        const Member *member = take_key(s, members, &seen);
        if (member == NULL || !member->take(s))
            return FALSE;
        s->p = sl_json_skip_space(s->p, s->end);
    } while (accept(s, ','));
    s->depth--;
    if (s->p == s->end || *s->p != '}')
        return FALSE;
    s->p++;
    /* The first two of each table are the ones that must be there. */
    return (seen & 3) == 3;
}

static gboolean
scan_generic(SlJsonScanner *scanner, const char *line, const char *end, SlMessage *ret)
{
    static const Member members[] = {
        {"type", 4, take_type},
        {"record", 6, take_record},
        {NULL, 0, take_other},
    };
    Scan s = {.end = end, .kernel = scanner->kernel, .doc = &scanner->doc, .m = ret};

    s.p = sl_json_skip_space(line, end);
    if (!scan_members(&s, members) || s.p != end)
        return FALSE;
    ret->type = SL_MESSAGE_RECORD;
    return TRUE;
}

/* --- templates -------------------------------------------------------------------------------- */

/* Moves a template to the front. */
static void
use_first(SlJsonScanner *scanner, guint place)
{
    guint8 index = scanner->order[place];
    memmove(scanner->order + 1, scanner->order, place);
    scanner->order[0] = index;
}

/* The place in by_name of the line's stream. Reads padding at worst. */
static inline guint8 *
name_slot(SlJsonScanner *scanner, const char *line, const char *end)
{
    guint64 name = 0;
    if ((gsize)(end - line) >= scanner->name_offset)
        memcpy(&name, line + scanner->name_offset, sizeof name);
    return &scanner->by_name[(name * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15)) >> 56];
}

/* `lines`: the line's end is not known, `end` is the text's. A constant, which folds away. */
static inline const char *
try_template(SlJsonScanner *scanner, guint8 index, const char *line, const char *end,
             gboolean lines, SlMessage *ret)
{
    const SlJsonTemplate *t = &scanner->templates[index];
    if (lines)
        return scanner->kernel->match_next(t, line, end, ret);
    return scanner->kernel->match(t, line, end, ret) ? end : NULL;
}

/* Tries the template of the line before, and the one that the stream's name points at. Returns the
 * line's end, or NULL. */
static inline const char *
try_likely(SlJsonScanner *scanner, const char *line, const char *end, gboolean lines,
           SlMessage *ret)
{
    const char *next;

    ret->data = (SlSpan){NULL, 0};
    if (scanner->n_templates == 0 || scanner->misses >= MISSES_IN_A_ROW)
        return NULL;
    guint8 index = scanner->last;
    if (scanner->mixed > 0) {
        scanner->mixed--;
        index = *name_slot(scanner, line, end);
    }
    next = try_template(scanner, index, line, end, lines, ret);
    if (next == NULL) {
        guint8 other = *name_slot(scanner, line, end);
        if (other == index)
            return NULL;
        index = other;
        next = try_template(scanner, index, line, end, lines, ret);
        if (next == NULL)
            return NULL;
        scanner->changes += 2;
        if (scanner->changes > MIXED_CHANGES) {
            scanner->mixed = MIXED_LINES;
            scanner->changes = 0;
        }
    } else if (scanner->changes > 0) {
        scanner->changes--;
    }
    scanner->last = index;
    scanner->misses = 0;
    return next;
}

static gboolean
scan_templates(SlJsonScanner *scanner, const char *line, const char *end, SlMessage *ret)
{
    for (guint i = 0; i < scanner->n_templates; i++) {
        if (try_template(scanner, scanner->order[i], line, end, FALSE, ret) != NULL) {
            use_first(scanner, i);
            scanner->last = *name_slot(scanner, line, end) = scanner->order[0];
            scanner->misses = 0;
            return TRUE;
        }
    }
    return FALSE;
}

/* Learns into a free place, or into one not used lately. */
static void
learn(SlJsonScanner *scanner, const char *line, const char *end, const SlMessage *m)
{
    guint place = MIN(scanner->n_templates, N_TEMPLATES - 1);
    SlJsonTemplate *t = &scanner->templates[scanner->order[place]];
    if (sl_json_template_learn(t, line, end, m)) {
        /* Never again the number of a template that made room: after so many, none. */
        scanner->learned += scanner->learned < G_MAXUINT32;
        t->header = scanner->learned < G_MAXUINT32 ? scanner->learned : 0;
        scanner->n_templates = place + 1;
        use_first(scanner, place);
        scanner->name_offset = t->stream.literal == 0 ? t->stream.offset : 0;
        scanner->last = *name_slot(scanner, line, end) = scanner->order[0];
    }
}

/* The whole way down, for a line whose end is known. Of *ret, only the hint in `data` is set. */
static void
scan_line(SlJsonScanner *scanner, const char *line, const char *end, SlMessage *ret)
{
    *ret = (SlMessage){.data = ret->data};
    while (end > line && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
        end--;
    gboolean varied = scanner->misses >= MISSES_IN_A_ROW && scanner->misses % RETRY_EVERY != 0;
    if (!varied && scan_templates(scanner, line, end, ret))
        return;
    scanner->misses++;
    if (scan_generic(scanner, line, end, ret)) {
        if (!varied)
            learn(scanner, line, end, ret);
        return;
    }
    sl_json_judge(&scanner->doc, line, (gsize)(end - line), ret);
}

/* --- the public face -------------------------------------------------------------------------- */

SlJsonScanner *
sl_json_scanner_new_for(const SlJsonKernel *kernel)
{
    SlJsonScanner *scanner = g_new0(SlJsonScanner, 1);
    scanner->kernel = kernel;
    for (guint i = 0; i < N_TEMPLATES; i++)
        scanner->order[i] = (guint8)i;
    return scanner;
}

SlJsonScanner *
sl_json_scanner_new(void)
{
    return sl_json_scanner_new_for(sl_json_kernel_get());
}

guint
sl_json_scanner_get_misses(const SlJsonScanner *scanner)
{
    return scanner->misses;
}

void
sl_json_scanner_free(SlJsonScanner *scanner)
{
    if (scanner == NULL)
        return;
    sl_json_doc_clear(&scanner->doc);
    g_free(scanner);
}

void
sl_json_scan(SlJsonScanner *scanner, const char *line, gsize len, SlMessage *ret)
{
    const char *end = line + len;
    if (len > 0 && end[-1] == '\n')
        end--;
    if (end > line && end[-1] == '\r')
        end--;
    if (try_likely(scanner, line, end, FALSE, ret) == NULL)
        scan_line(scanner, line, end, ret);
}

const char *
sl_json_scan_next(SlJsonScanner *scanner, const char *from, const char *to, gsize *searched,
                  SlMessage *ret)
{
    const char *next = NULL;

    /* Only at the first sight of a line: trying again with every read would be quadratic. */
    if (*searched == 0)
        next = try_likely(scanner, from, to, TRUE, ret);
    else
        ret->data = (SlSpan){NULL, 0};
    if (next != NULL)
        return next;
    next = sl_json_find_newline(from + *searched, to);
    if (next == to) {
        *searched = (gsize)(to - from);
        return NULL;
    }
    *searched = 0;
    scan_line(scanner, from, next, ret);
    return next + 1;
}

const char *
sl_json_find_newline(const char *from, const char *to)
{
    /* The C library's memchr picks its instruction set by itself, and is at the memory's speed. */
    const char *found = from < to ? memchr(from, '\n', (gsize)(to - from)) : NULL;
    return found != NULL ? found : to;
}

static const SlJsonKernel *const kernels[] = {
#ifdef __x86_64__
    &sl_json_kernel_avx2,
    &sl_json_kernel_sse2,
#endif
    &sl_json_kernel_portable,
};

const SlJsonKernel *
sl_json_kernel_find(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(kernels); i++) {
        if (g_str_equal(kernels[i]->name, name) && kernels[i]->supported())
            return kernels[i];
    }
    return NULL;
}

static const SlJsonKernel *
choose_kernel(void)
{
    const char *forced = g_getenv("SLUICE_JSON_ISA");
    if (forced != NULL) {
        const SlJsonKernel *kernel = sl_json_kernel_find(forced);
        if (kernel != NULL)
            return kernel;
        g_warning("SLUICE_JSON_ISA=%s is not to be had here, ignoring", forced);
    }
    for (guint i = 0; i < G_N_ELEMENTS(kernels) - 1; i++) {
        if (kernels[i]->supported())
            return kernels[i];
    }
    return &sl_json_kernel_portable;
}

const SlJsonKernel *
sl_json_kernel_get(void)
{
    static const SlJsonKernel *chosen;
    const SlJsonKernel *kernel = g_atomic_pointer_get(&chosen);
    if (kernel == NULL) {
        kernel = choose_kernel(); /* the same in every thread */
        g_atomic_pointer_set(&chosen, kernel);
    }
    return kernel;
}
