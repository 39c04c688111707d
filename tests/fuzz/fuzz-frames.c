/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "fuzz.h"

#include <string.h>

#include "sl-frame-schema.h"

/* PROTOBUF frames, one behind the other, as a connector may send them. What is decoded is JSON and
 * survives the way back; a renamed frame is the same but for its names. */

#define SCHEMA                                                                                     \
    "{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"integer\"},"                   \
    "\"c\":{\"type\":\"number\"},\"d\":{\"type\":\"boolean\"},\"e\":{\"type\":\"object\"},"        \
    "\"f\":{\"type\":\"string\",\"format\":\"date\"},\"g\":{\"type\":\"string\","                  \
    "\"format\":\"date-time\"},\"h\":{\"type\":\"string\",\"format\":\"time\"}}}"

static SlFrameSchema *
get_schema(void)
{
    static SlFrameSchema *schema;
    if (schema == NULL) {
        g_autoptr(SlJsonDoc) doc = sl_json_read(SCHEMA, strlen(SCHEMA), NULL, NULL);
        schema = sl_frame_schema_new(doc, sl_json_root(doc));
    }
    return schema;
}

static gboolean
span_equal(SlSpan a, SlSpan b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* JSON → values → frame → JSON. */
static void
go_round(const SlBytes *json, const SlFrame *frame, SlBytes *ret)
{
    g_auto(SlBytes) values = {0}, names = {0}, whole = {0};
    guint strangers;
    SlSpan body;
    SlFrame second;
    fuzz_check(sl_frame_schema_encode(get_schema(), (SlSpan){json->p, json->len}, &values,
                                      &strangers, NULL));
    fuzz_check(strangers == 0);
    sl_frame_append_names(&names, "ns", "stream");
    sl_frame_append_record(&whole, (SlSpan){names.p, names.len}, frame->emitted_at,
                           frame->partition, (SlSpan){values.p, values.len}, frame->meta);
    fuzz_check(sl_frame_split(whole.p, whole.len, &body) == SL_SPLIT_WHOLE);
    fuzz_check(sl_frame_parse(body, &second, NULL) && second.type == SL_FRAME_RECORD);
    fuzz_check(second.emitted_at == frame->emitted_at &&
               span_equal(second.partition, frame->partition) &&
               span_equal(second.meta, frame->meta));
    fuzz_check(sl_frame_schema_decode(get_schema(), &second, ret, NULL));
}

/* What a value is written as may change once: text in a column of times becomes a time. */
static void
check_way_back(const SlBytes *json, const SlFrame *frame)
{
    g_auto(SlBytes) once = {0}, twice = {0};
    /* Bytes of strings pass as they are, as they do inside the data of lines. */
    if (!g_utf8_validate_len(json->p, json->len, NULL))
        return;
    fuzz_check_json(json->p, json->len, SL_JSON_OBJECT);
    go_round(json, frame, &once);
    go_round(&once, frame, &twice);
    fuzz_check(once.len == twice.len && memcmp(once.p, twice.p, once.len) == 0);
}

static void
check_renamed(const SlFrame *frame)
{
    g_auto(SlBytes) names = {0}, whole = {0};
    SlSpan body;
    SlFrame second;
    sl_frame_append_names(&names, NULL, "other");
    sl_frame_append_renamed(&whole, (SlSpan){names.p, names.len}, frame);
    fuzz_check(sl_frame_split(whole.p, whole.len, &body) == SL_SPLIT_WHOLE);
    fuzz_check(sl_frame_parse(body, &second, NULL) && second.type == SL_FRAME_RECORD);
    fuzz_check(second.ns.n == 0 && span_equal(second.stream, (SlSpan){"other", 5}));
    fuzz_check(second.n_values == frame->n_values && second.emitted_at == frame->emitted_at &&
               span_equal(second.partition, frame->partition) &&
               span_equal(second.meta, frame->meta));
}

static void
check_frame(SlSpan body)
{
    SlFrame frame;
    g_auto(SlBytes) meta = {0}, json = {0};
    g_autoptr(GError) error = NULL;
    gboolean ok = sl_frame_parse(body, &frame, &error);
    fuzz_check(ok == (error == NULL));
    if (!ok || frame.type != SL_FRAME_RECORD)
        return;
    if (sl_frame_meta_to_json(frame.meta, &meta, NULL)) {
        g_auto(SlBytes) back = {0};
        fuzz_check_json(meta.p, meta.len, SL_JSON_OBJECT);
        fuzz_check(sl_frame_meta_from_json((SlSpan){meta.p, meta.len}, &back, NULL));
    }
    check_renamed(&frame);
    if (sl_frame_schema_decode(get_schema(), &frame, &json, NULL))
        check_way_back(&json, &frame);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = fuzz_copy(data, size, 0);
    const char *p = text;
    gsize left = size;
    SlSpan body;
    while (left > 0 && sl_frame_split(p, left, &body) == SL_SPLIT_WHOLE) {
        fuzz_check(body.p > p && body.n <= left - (gsize)(body.p - p));
        check_frame(body);
        left -= (gsize)(body.p + body.n - p);
        p = body.p + body.n;
    }
    return 0;
}
