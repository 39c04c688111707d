/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "rival.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

/* Numbers raw, as whoever passes them on must; memory from a pool, and nothing freed. */

static char *
get_memory(gsize *ret_room)
{
    static char *memory;
    static gsize room;
    if (memory == NULL) {
        room = yyjson_read_max_memory_usage(65536, 0);
        memory = g_malloc(room);
    }
    *ret_room = room;
    return memory;
}

static yyjson_doc *
read_line(const char *line, gsize len, yyjson_read_flag flags)
{
    static yyjson_alc allocator;
    gsize room;
    char *memory = get_memory(&room);
    yyjson_alc_pool_init(&allocator, memory, room);
    return yyjson_read_opts((char *)line, len, flags, &allocator, NULL);
}

static gboolean
parse(const char *line, gsize len)
{
    return read_line(line, len, 0) != NULL;
}

static void
edit_data(yyjson_mut_doc *doc, yyjson_mut_val *data, const char *drop, const char *hash)
{
    yyjson_mut_obj_remove_key(data, drop);
    yyjson_mut_val *value = hash != NULL ? yyjson_mut_obj_get(data, hash) : NULL;
    if (yyjson_mut_is_str(value)) {
        char hex[65], key[64];
        bench_hash(yyjson_mut_get_str(value), yyjson_mut_get_len(value), hex);
        g_snprintf(key, sizeof key, "%s_hashed", hash);
        yyjson_mut_obj_remove_key(data, hash);
        yyjson_mut_obj_add(data, yyjson_mut_strcpy(doc, key), yyjson_mut_strcpy(doc, hex));
    }
}

static gsize
edit(const char *line, gsize len, const char *drop, const char *hash)
{
    yyjson_doc *doc = read_line(line, len, YYJSON_READ_NUMBER_AS_RAW);
    yyjson_mut_doc *copy = doc != NULL ? yyjson_doc_mut_copy(doc, NULL) : NULL;
    yyjson_mut_val *record = yyjson_mut_obj_get(yyjson_mut_doc_get_root(copy), "record");
    yyjson_mut_val *stream = yyjson_mut_obj_get(record, "stream");
    char name[256];
    gsize n = 0;
    if (stream == NULL)
        return 0;
    g_snprintf(name, sizeof name, BENCH_PREFIX "%s", yyjson_mut_get_str(stream));
    yyjson_mut_obj_put(record, yyjson_mut_str(copy, "stream"), yyjson_mut_strcpy(copy, name));
    edit_data(copy, yyjson_mut_obj_get(record, "data"), drop, hash);
    char *text = yyjson_mut_write(copy, 0, &n);
    free(text);
    yyjson_mut_doc_free(copy);
    return n;
}

const Rival bench_rival = {"yyjson " YYJSON_VERSION_STRING, parse, edit};
