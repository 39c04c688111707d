/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Decimal text → int64 and PostgreSQL's binary numeric, exactly: nothing goes through a double. */

typedef enum {
    DESTPG_OK,
    DESTPG_BAD,   /* not such a value */
    DESTPG_RANGE, /* such a value, but beyond what the type holds */
} DestpgResult;

/* A whole number: "5", "-5", "5.0", "1e3". */
DestpgResult destpg_number_to_int64(const char *p, gsize n, gint64 *ret);

/* The payload of a numeric field (numeric_recv's format). `out` has room for
 * DESTPG_NUMERIC_ROOM(n) bytes. */
#define DESTPG_NUMERIC_ROOM(n) ((n) + 16)
DestpgResult destpg_number_to_numeric(const char *p, gsize n, guint8 *out, gsize *ret_len);

/* Would PostgreSQL's numeric hold it? For numbers inside JSON, which jsonb stores as numeric. */
gboolean destpg_number_fits(const char *p, gsize n);
