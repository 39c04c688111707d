/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sl-json-read.h"

/* What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput(): given any bytes
 * it must return 0, and what it checks with fuzz_check() must hold. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define fuzz_check(what) ((what) ? (void)0 : fuzz_fail(#what, __FILE__, __LINE__))
void fuzz_fail(const char *what, const char *file, int line) G_GNUC_NORETURN;

/* The bytes in memory of their own, so that whoever reads past them is seen; `padding` more may be
 * read. */
char *fuzz_copy(const void *data, gsize size, gsize padding);

/* The part up to the next `end` byte, which is left out; FALSE: there is nothing left. */
gboolean fuzz_next_part(const uint8_t **data, size_t *size, char end, SlSpan *ret);

/* What we wrote must be JSON of this type. */
void fuzz_check_json(const char *text, gsize len, SlJsonType type);
