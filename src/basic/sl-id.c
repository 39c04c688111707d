/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-id.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "sl-error.h"

#include <string.h>

#define ID_LENGTH 36
#define COMPACT_LENGTH 32

char *
sl_id_new(void)
{
    return g_uuid_string_random();
}

static gboolean
is_dash_position(gsize i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static gboolean
is_lower_hex(char c)
{
    return g_ascii_isdigit(c) || (c >= 'a' && c <= 'f');
}

gboolean
sl_id_is_valid(const char *id)
{
    if (id == NULL || strlen(id) != ID_LENGTH)
        return FALSE;
    for (gsize i = 0; i < ID_LENGTH; i++)
        if (is_dash_position(i) ? id[i] != '-' : !is_lower_hex(id[i]))
            return FALSE;
    return TRUE;
}

char *
sl_id_compact(const char *id)
{
    if (!sl_id_is_valid(id))
        return NULL;
    char *out = g_malloc(COMPACT_LENGTH + 1);
    gsize n = 0;
    for (gsize i = 0; i < ID_LENGTH; i++)
        if (id[i] != '-')
            out[n++] = id[i];
    out[n] = '\0';
    return out;
}

char *
sl_id_expand(const char *compact)
{
    if (compact == NULL || strlen(compact) != COMPACT_LENGTH)
        return NULL;
    char *out = g_malloc(ID_LENGTH + 1);
    for (gsize i = 0; i < ID_LENGTH; i++)
        out[i] = is_dash_position(i) ? '-' : *compact++;
    out[ID_LENGTH] = '\0';
    if (sl_id_is_valid(out))
        return out;
    g_free(out);
    return NULL;
}

char *
sl_id_new_secret(GError **error)
{
    guint8 bytes[32];
    GString *hex = g_string_new(NULL);
    if (getrandom(bytes, sizeof(bytes), 0) != (gssize)sizeof(bytes)) {
        sl_error_set_errno(error, errno, "getrandom");
        g_string_free(hex, TRUE);
        return NULL;
    }
    for (gsize i = 0; i < sizeof(bytes); i++)
        g_string_append_printf(hex, "%02x", bytes[i]);
    explicit_bzero(bytes, sizeof(bytes));
    return g_string_free(hex, FALSE);
}
