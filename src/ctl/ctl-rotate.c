/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-rotate.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/random.h>

#include "sl-error.h"

#define ID_DIGITS 16

const char *const ctl_rotate_texts[CTL_ROTATE_N_STEPS] = {
    [CTL_ROTATE_IDLE] = N_("nothing is to be done"),
    [CTL_ROTATE_BEGIN] = N_("making a new key"),
    [CTL_ROTATE_SPREAD] = N_("giving it to all that open secrets"),
    [CTL_ROTATE_SEAL] = N_("sealing all secrets with it"),
    [CTL_ROTATE_FINISH] = N_("taking the older keys away"),
};

/* The copy of a key is wiped when the last reference goes. */
static void
wipe(gpointer data)
{
    GByteArray *bytes = data;
    explicit_bzero(bytes->data, bytes->len);
    g_byte_array_unref(bytes);
}

static GBytes *
make_ring(const guint8 *first, gsize n_first, const guint8 *second, gsize n_second)
{
    GByteArray *bytes = g_byte_array_sized_new((guint)(n_first + n_second));
    g_byte_array_append(bytes, first, (guint)n_first);
    if (n_second > 0)
        g_byte_array_append(bytes, second, (guint)n_second);
    return g_bytes_new_with_free_func(bytes->data, bytes->len, wipe, bytes);
}

char **
ctl_rotate_ids(GBytes *ring, GError **error)
{
    gsize len;
    const guint8 *data = g_bytes_get_data(ring, &len);
    if (len == 0 || len % CTL_ROTATE_KEY_BYTES != 0 ||
        len > CTL_ROTATE_MAX_KEYS * CTL_ROTATE_KEY_BYTES) {
        sl_error_set(error, SL_ERROR_CONFIG,
                     _("the master key has %" G_GSIZE_FORMAT " bytes instead of %d for each of up "
                       "to %d keys"),
                     len, CTL_ROTATE_KEY_BYTES, CTL_ROTATE_MAX_KEYS);
        return NULL;
    }
    g_autoptr(GStrvBuilder) ids = g_strv_builder_new();
    for (gsize at = 0; at < len; at += CTL_ROTATE_KEY_BYTES) {
        g_autofree char *sum =
            g_compute_checksum_for_data(G_CHECKSUM_SHA256, data + at, CTL_ROTATE_KEY_BYTES);
        sum[ID_DIGITS] = '\0';
        g_strv_builder_add(ids, sum);
    }
    return g_strv_builder_end(ids);
}

CtlRotateStep
ctl_rotate_step(const char *const *ids, const char *pending)
{
    if (pending == NULL)
        return CTL_ROTATE_IDLE;
    if (!g_strv_contains(ids, pending))
        return CTL_ROTATE_BEGIN;
    if (strcmp(ids[0], pending) != 0)
        return CTL_ROTATE_SPREAD;
    return ids[1] != NULL ? CTL_ROTATE_SEAL : CTL_ROTATE_FINISH;
}

/* --- the steps --------------------------------------------------------------------------------
 */

typedef struct {
    const CtlRotateOps *ops;
    gpointer data;
    GBytes *ring;
    char **ids;
    char *pending;
} Rotation;

static void
rotation_clear(Rotation *r)
{
    g_clear_pointer(&r->ring, g_bytes_unref);
    g_clear_pointer(&r->ids, g_strfreev);
    g_clear_pointer(&r->pending, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Rotation, rotation_clear)

/* Always from what is stored: a step never trusts what an earlier one has in memory. */
static gboolean
load(Rotation *r, GError **error)
{
    rotation_clear(r);
    r->ring = r->ops->load(r->data, &r->pending, error);
    r->ids = r->ring != NULL ? ctl_rotate_ids(r->ring, error) : NULL;
    return r->ids != NULL;
}

/* The id is noted first: a key nobody knows of is never left in a ring. One that was noted and did
 * not come into the ring has sealed nothing, and another takes its place. */
static gboolean
begin(Rotation *r, GError **error)
{
    guint8 key[CTL_ROTATE_KEY_BYTES];
    gsize len;
    const guint8 *data = g_bytes_get_data(r->ring, &len);
    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
        return sl_error_set_errno(error, errno, _("no random numbers for a key"));
    g_autoptr(GBytes) fresh = make_ring(key, sizeof(key), NULL, 0);
    g_autoptr(GBytes) ring = make_ring(data, len, key, sizeof(key));
    explicit_bzero(key, sizeof(key));
    g_auto(GStrv) id = ctl_rotate_ids(fresh, error);
    return id != NULL && r->ops->store_pending(r->data, id[0], error) &&
           r->ops->store_ring(r->data, ring, error);
}

/* Everybody opens with the new key before anybody seals with it. */
static gboolean
spread(Rotation *r, GError **error)
{
    gsize len, at = 0;
    if (!r->ops->spread(r->data, (const char *const *)r->ids, error))
        return FALSE;
    const guint8 *data = g_bytes_get_data(r->ring, &len);
    while (strcmp(r->ids[at / CTL_ROTATE_KEY_BYTES], r->pending) != 0)
        at += CTL_ROTATE_KEY_BYTES;
    GBytes *ring = make_ring(data + at, CTL_ROTATE_KEY_BYTES, data, at);
    if (at + CTL_ROTATE_KEY_BYTES < len) { /* not the last one: a ring that was made by hand */
        g_autoptr(GBytes) head = ring;
        gsize n;
        const guint8 *start = g_bytes_get_data(head, &n);
        ring =
            make_ring(start, n, data + at + CTL_ROTATE_KEY_BYTES, len - at - CTL_ROTATE_KEY_BYTES);
    }
    g_autoptr(GBytes) owned = ring;
    return r->ops->store_ring(r->data, owned, error);
}

/* Nobody seals with an older key any more when all is sealed anew: what comes after is current. */
static gboolean
seal(Rotation *r, GError **error)
{
    if (!r->ops->spread(r->data, (const char *const *)r->ids, error) ||
        !r->ops->reseal(r->data, error))
        return FALSE;
    g_autoptr(GBytes) alone =
        make_ring(g_bytes_get_data(r->ring, NULL), CTL_ROTATE_KEY_BYTES, NULL, 0);
    return r->ops->store_ring(r->data, alone, error);
}

static gboolean
finish(Rotation *r, GError **error)
{
    return r->ops->spread(r->data, (const char *const *)r->ids, error) &&
           r->ops->store_pending(r->data, NULL, error);
}

static gboolean
start(Rotation *r, gboolean *ret_whole, GError **error)
{
    /* No room for one more: the older ones go first, in a rotation to the key that is in use. */
    *ret_whole = g_strv_length(r->ids) < CTL_ROTATE_MAX_KEYS;
    return *ret_whole ? begin(r, error) : r->ops->store_pending(r->data, r->ids[0], error);
}

gboolean
ctl_rotate_run(const CtlRotateOps *ops, gpointer data, char **ret_id, GError **error)
{
    static gboolean (*const steps[CTL_ROTATE_N_STEPS])(Rotation *, GError **) = {
        [CTL_ROTATE_BEGIN] = begin,
        [CTL_ROTATE_SPREAD] = spread,
        [CTL_ROTATE_SEAL] = seal,
        [CTL_ROTATE_FINISH] = finish,
    };
    g_auto(Rotation) r = {.ops = ops, .data = data};
    gboolean whole = FALSE;
    if (!load(&r, error))
        return FALSE;
    whole = r.pending != NULL;
    for (;;) {
        CtlRotateStep step = ctl_rotate_step((const char *const *)r.ids, r.pending);
        if (step == CTL_ROTATE_IDLE && whole)
            break;
        ops->tell(data, step == CTL_ROTATE_IDLE ? CTL_ROTATE_BEGIN : step);
        if (!(step == CTL_ROTATE_IDLE ? start(&r, &whole, error) : steps[step](&r, error)) ||
            !load(&r, error))
            return FALSE;
    }
    *ret_id = g_strdup(r.ids[0]);
    return TRUE;
}
