/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A parser of others that builds a document of every line: the yardstick. One of rival-*.c(c) is
 * built, yyjson before simdjson. */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *name; /* with the library's version */
    gboolean (*parse)(const char *line, gsize len);
    /* Parses, drops a member of record.data, gives the stream a prefix, hashes the member `hash` of
     * data (NULL: none; a string), and writes everything. Bytes written; 0: it could not. */
    gsize (*edit)(const char *line, gsize len, const char *drop, const char *hash);
} Rival;

extern const Rival bench_rival;

/* SHA-256 in hex, with what can be prepared prepared. */
void bench_hash(const char *text, gsize len, char hex[65]);

#define BENCH_PREFIX "p_"
/* Bytes that a parser may read behind a line. */
#define BENCH_PADDING 256

#ifdef __cplusplus
}
#endif
