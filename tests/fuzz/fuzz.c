/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fuzz_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

char *
fuzz_copy(const void *data, gsize size, gsize padding)
{
    char *copy = g_malloc(MAX(size + padding, 1));
    if (size > 0)
        memcpy(copy, data, size);
    memset(copy + size, '"', padding);
    return copy;
}

gboolean
fuzz_next_part(const uint8_t **data, size_t *size, char end, SlSpan *ret)
{
    if (*size == 0)
        return FALSE;
    const uint8_t *found = memchr(*data, end, *size);
    size_t n = found != NULL ? (size_t)(found - *data) : *size;
    *ret = (SlSpan){(const char *)*data, n};
    n += found != NULL;
    *data += n;
    *size -= n;
    return TRUE;
}

void
fuzz_check_json(const char *text, gsize len, SlJsonType type)
{
    g_auto(SlJsonDoc) doc = {0};
    gboolean valid = sl_json_read_into(&doc, text, len, NULL, NULL);
    if (!valid || sl_json_root(&doc)->type != type) {
        fprintf(stderr, "not the JSON it should be: %.*s\n", (int)MIN(len, 4000), text);
        abort();
    }
}
