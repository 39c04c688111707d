/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-scan-private.h"

/* A document's memory is kept from line to line up to here. */
#define KEEP_NODES 65536

/* Each type and the member that holds its payload (Airbyte Protocol, AirbyteMessage). */
static const struct {
    const char *type, *payload;
} messages[SL_N_MESSAGES] = {
    [SL_MESSAGE_NONE] = {"NONE", NULL},
    [SL_MESSAGE_RECORD] = {"RECORD", "record"},
    [SL_MESSAGE_STATE] = {"STATE", "state"},
    [SL_MESSAGE_LOG] = {"LOG", "log"},
    [SL_MESSAGE_SPEC] = {"SPEC", "spec"},
    [SL_MESSAGE_CONNECTION_STATUS] = {"CONNECTION_STATUS", "connectionStatus"},
    [SL_MESSAGE_CATALOG] = {"CATALOG", "catalog"},
    [SL_MESSAGE_TRACE] = {"TRACE", "trace"},
    [SL_MESSAGE_CONTROL] = {"CONTROL", "control"},
    [SL_MESSAGE_DESTINATION_CATALOG] = {"DESTINATION_CATALOG", "destination_catalog"},
};

const char *
sl_message_type_name(SlMessageType type)
{
    return messages[(guint)type < SL_N_MESSAGES ? type : SL_MESSAGE_NONE].type;
}

gboolean
sl_json_looks_like_record(const char *line, gsize len)
{
    static const char pattern[] = "{\"type\":\"record\",\"record\":";
    const char *p = line, *end = line + len;

    /* A brace stands only at the pattern's start: a failed try may go on where it failed. */
    while (p < end && (p = memchr(p, '{', (gsize)(end - p))) != NULL) {
        guint matched = 1;
        p++;
        while (matched < sizeof pattern - 1) {
            p = sl_json_skip_space(p, end);
            if (p == end || g_ascii_tolower(*p) != pattern[matched])
                break;
            p++;
            matched++;
        }
        if (matched == sizeof pattern - 1)
            return TRUE;
    }
    return FALSE;
}

static SlMessageType
message_type(const SlJsonNode *node)
{
    for (guint i = SL_MESSAGE_NONE + 1; i < SL_N_MESSAGES; i++) {
        if (sl_json_string_is(node, messages[i].type))
            return (SlMessageType)i;
    }
    return SL_MESSAGE_NONE;
}

static gboolean
is_given(const SlJsonNode *node)
{
    return node != NULL && node->type != SL_JSON_NULL;
}

/* The text of an optional string member, without quotes. FALSE: it is no string. */
static gboolean
take_string(const SlJsonNode *node, SlSpan *ret, gboolean *ret_escaped)
{
    if (!is_given(node))
        return TRUE;
    if (node->type != SL_JSON_STRING)
        return FALSE;
    *ret = (SlSpan){node->p + 1, node->n - 2};
    *ret_escaped = node->escaped;
    return TRUE;
}

/* An optional member of a fixed type. FALSE: it has another. */
static gboolean
take_value(const SlJsonNode *node, SlJsonType type, SlSpan *ret)
{
    if (!is_given(node))
        return TRUE;
    if (node->type != type)
        return FALSE;
    *ret = sl_json_span(node);
    return TRUE;
}

/* A RECORD is one only with a stream, an object as data, and right types everywhere else. */
static gboolean
judge_record(const SlJsonDoc *doc, const SlJsonNode *record, SlMessage *ret)
{
    if (record == NULL || record->type != SL_JSON_OBJECT)
        return FALSE;
    if (!take_string(sl_json_get(doc, record, "stream"), &ret->stream, &ret->stream_escaped) ||
        !take_string(sl_json_get(doc, record, "namespace"), &ret->ns, &ret->ns_escaped) ||
        !take_value(sl_json_get(doc, record, "data"), SL_JSON_OBJECT, &ret->data) ||
        !take_value(sl_json_get(doc, record, "meta"), SL_JSON_OBJECT, &ret->meta) ||
        !take_value(sl_json_get(doc, record, "emitted_at"), SL_JSON_NUMBER, &ret->emitted_at))
        return FALSE;
    if (ret->ns.n == 0)
        ret->ns.p = NULL; /* null, "" and missing are one value */
    return ret->stream.p != NULL && ret->data.p != NULL;
}

static void
judge_message(const SlJsonDoc *doc, SlMessage *ret)
{
    const SlJsonNode *root = sl_json_root(doc);
    SlMessageType type = message_type(sl_json_get(doc, root, "type"));
    if (type == SL_MESSAGE_NONE)
        return;
    const SlJsonNode *payload = sl_json_get(doc, root, messages[type].payload);
    if (type == SL_MESSAGE_RECORD && !judge_record(doc, payload, ret)) {
        *ret = (SlMessage){.looks_like_record = TRUE};
        return;
    }
    ret->type = type;
    if (is_given(payload))
        ret->payload = sl_json_span(payload);
}

void
sl_json_judge(SlJsonDoc *doc, const char *line, gsize len, SlMessage *ret)
{
    const char *end = line + len;
    SlJsonFault fault;
    gboolean too_deep;

    *ret = (SlMessage){0};
    const char *p = sl_json_skip_space(line, end);
    if (p == end || *p != '{') {
        ret->looks_like_record = sl_json_looks_like_record(line, len);
        return;
    }
    /* Two levels of members are all that the protocol's envelope has. */
    const char *next = sl_json_read_value(doc, p, end, SL_JSON_MAX_DEPTH, 2, &fault, &too_deep);
    if (next != NULL && sl_json_skip_space(next, end) == end)
        judge_message(doc, ret);
    else
        ret->looks_like_record = sl_json_looks_like_record(line, len);
    if (doc->n_allocated > KEEP_NODES)
        sl_json_doc_clear(doc);
}
