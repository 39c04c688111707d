/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "fuzz.h"

#include "sl-error.h"
#include "sl-schema.h"

/* A JSON Schema, then, each behind a NUL, values for it. An answer within bounds, and the same one
 * with reasons as without. */

#define WORK 200000

static void
ask(const SlSchema *schema, SlSpan value)
{
    g_autofree char *text = fuzz_copy(value.p, value.n, 0);
    g_auto(SlJsonDoc) doc = {0};
    g_autoptr(GError) first = NULL, second = NULL;
    g_autoptr(GPtrArray) faults = NULL;
    SlSchemaAsk question = {.formats = value.n % 2 == 0, .max_work = WORK};
    if (!sl_json_read_into(&doc, text, value.n, NULL, NULL))
        return;
    gboolean valid = sl_schema_validate(schema, &doc, sl_json_root(&doc), &question, NULL, &first);
    gboolean again =
        sl_schema_validate(schema, &doc, sl_json_root(&doc), &question, &faults, &second);
    fuzz_check(!valid || first == NULL);
    fuzz_check(first == NULL || g_error_matches(first, SL_ERROR, SL_ERROR_TOO_LARGE));
    /* To look for reasons costs more, so it may find no end where the first did. */
    if (first != NULL || second != NULL)
        return;
    fuzz_check(valid == again);
    fuzz_check(valid ? faults == NULL || faults->len == 0 : faults != NULL && faults->len > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SlSpan text, value;
    if (!fuzz_next_part(&data, &size, '\0', &text))
        return 0;
    g_autofree char *copy = fuzz_copy(text.p, text.n, 0);
    for (guint lenient = 0; lenient < 2; lenient++) {
        g_autoptr(GError) error = NULL;
        SlSchemaSource source = {.lenient = lenient == 1};
        g_autoptr(SlSchema) schema = sl_schema_compile(copy, text.n, &source, &error);
        fuzz_check((schema == NULL) == (error != NULL));
        const uint8_t *rest = data;
        size_t left = size;
        while (schema != NULL && fuzz_next_part(&rest, &left, '\0', &value))
            ask(schema, value);
    }
    return 0;
}
