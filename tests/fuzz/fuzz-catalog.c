/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "fuzz.h"

#include <string.h>

#include "sl-catalog.h"
#include "sl-json-scan.h"

/* A configured catalog, then, each behind a NUL, data of records for its first stream's mappers.
 * What we write of a catalog is JSON; what mappers make of JSON is JSON. */

static void
map_records(const SlCatalogStream *stream, const uint8_t *data, size_t size)
{
    SlSpan part;
    g_autoptr(GString) out = g_string_new(NULL);
    while (fuzz_next_part(&data, &size, '\0', &part)) {
        g_autofree char *copy = fuzz_copy(part.p, part.n, SL_JSON_PADDING);
        g_autoptr(GError) error = NULL;
        g_auto(SlJsonDoc) doc = {0};
        gsize selected = 0;
        if (!sl_json_read_into(&doc, copy, part.n, NULL, NULL) ||
            sl_json_root(&doc)->type != SL_JSON_OBJECT)
            continue;
        SlSpan object = sl_json_span(sl_json_root(&doc));
        if (stream->key != NULL)
            sl_stream_key_check(stream->key, object);
        if (stream->mapper == NULL)
            continue;
        g_string_truncate(out, 0);
        SlMapped mapped = sl_mapper_apply(stream->mapper, object, out, &selected, &error);
        fuzz_check((mapped == SL_MAPPED_FAILED) == (error != NULL));
        fuzz_check(selected <= object.n);
        if (mapped == SL_MAPPED_CHANGED)
            fuzz_check_json(out->str, out->len, SL_JSON_OBJECT);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const SlCatalogNames names[] = {
        {NULL, NULL, NULL},
        {"destination", NULL, "p_"},
        {"customformat", "x${SOURCE_NAMESPACE}y", ""},
    };
    SlSpan part;
    if (!fuzz_next_part(&data, &size, '\0', &part))
        return 0;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = fuzz_copy(part.p, part.n, 0);
        g_autoptr(GError) error = NULL;
        g_autoptr(SlCatalog) catalog = sl_catalog_parse(text, part.n, &names[i], &error);
        fuzz_check((catalog == NULL) == (error != NULL));
        /* A catalog that a sync takes can be saved; one that was saved may lack its keys. */
        fuzz_check(catalog == NULL || sl_catalog_check(text, part.n, &names[i], NULL));
        if (catalog == NULL)
            continue;
        g_autofree char *source = sl_catalog_write_source(catalog);
        g_autofree char *old = sl_catalog_write_destination(catalog, FALSE);
        g_autofree char *destination = sl_catalog_write_destination(catalog, TRUE);
        fuzz_check_json(source, strlen(source), SL_JSON_OBJECT);
        fuzz_check_json(old, strlen(old), SL_JSON_OBJECT);
        fuzz_check_json(destination, strlen(destination), SL_JSON_OBJECT);
        if (catalog->n_streams > 0)
            map_records(&catalog->streams[0], data, size);
    }
    return 0;
}
