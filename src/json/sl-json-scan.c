/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-json-scan-private.h"

struct SlJsonScanner {
    SlJsonDoc doc; /* working memory of the judge */
};

SlJsonScanner *
sl_json_scanner_new(void)
{
    return g_new0(SlJsonScanner, 1);
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
    sl_json_judge(&scanner->doc, line, len, ret);
}

const char *
sl_json_find_newline(const char *from, const char *to)
{
    const char *found = from < to ? memchr(from, '\n', (gsize)(to - from)) : NULL;
    return found != NULL ? found : to;
}
