/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "sl-mapper.h"

/* sl-mapper-tell: for a model that is not ours to contradict (tests/fuzz/mapper-differential.py).
 * Reads lines: "@" and a configured stream, then data of its records, one a line. Answers each:
 * "= N" the record passes as it is, "> N DATA" changed, "- N" filtered out, "! TEXT" an error;
 * N: its bytes as selected. To a stream: "ok", "none" (nothing to do), or "! TEXT". */

static SlMapper *
take_stream(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SlJsonDoc) doc = sl_json_read(text, strlen(text), NULL, &error);
    SlMapper *mapper = doc != NULL ? sl_mapper_new(doc, sl_json_root(doc), "s", &error) : NULL;
    if (error != NULL)
        printf("! %s\n", error->message);
    else
        puts(mapper != NULL ? "ok" : "none");
    return mapper;
}

static void
take_record(SlMapper *mapper, const char *line, gsize len)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *exact = g_memdup2(line, len); /* nothing readable behind it */
    gsize selected = 0;
    switch (sl_mapper_apply(mapper, (SlSpan){exact, len}, out, &selected, &error)) {
    case SL_MAPPED_SAME:
        printf("= %" G_GSIZE_FORMAT "\n", selected);
        break;
    case SL_MAPPED_CHANGED:
        printf("> %" G_GSIZE_FORMAT " ", selected);
        fwrite(out->str, 1, out->len, stdout);
        putchar('\n');
        break;
    case SL_MAPPED_FILTERED:
        printf("- %" G_GSIZE_FORMAT "\n", selected);
        break;
    case SL_MAPPED_FAILED:
        printf("! %s\n", error->message);
        break;
    }
}

int
main(void)
{
    char *line = NULL;
    size_t room = 0;
    g_autoptr(SlMapper) mapper = NULL;
    for (ssize_t n; (n = getline(&line, &room, stdin)) > 0;) {
        if (line[n - 1] == '\n')
            line[--n] = '\0';
        if (line[0] == '@') {
            sl_mapper_free(mapper);
            mapper = take_stream(line + 1);
        } else if (mapper != NULL) {
            take_record(mapper, line, (gsize)n);
        }
    }
    free(line);
    return fflush(stdout) == 0 ? 0 : 1;
}
