/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-rotate.h"

#include <string.h>

#include "sl-error.h"

/* A host in memory: the stored ring, three processes that hold a ring and seal and open all the
 * time, and the rows. It may be killed before and after everything that leaves a trace. */

#define N_HOLDERS 3
#define N_ROWS 24

typedef struct {
    GBytes *ring;
    char *pending;
    char **held[N_HOLDERS]; /* what each process was started with */
    char *rows[N_ROWS];     /* the key that has sealed each */
    GRand *rand;
    gint budget; /* so many instants until it is killed; < 0: never */
    guint instants;
    gboolean stubborn; /* a row that cannot be sealed anew */
    guint told[CTL_ROTATE_N_STEPS];
} Host;

static GBytes *
make_bytes(guint n)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    for (guint8 i = 0; i < n; i++) {
        guint8 key[CTL_ROTATE_KEY_BYTES];
        memset(key, 'a' + i, sizeof(key));
        g_byte_array_append(bytes, key, sizeof(key));
    }
    return g_bytes_new(bytes->data, bytes->len);
}

static void
start_holder(Host *host, guint i)
{
    g_strfreev(host->held[i]);
    host->held[i] = ctl_rotate_ids(host->ring, NULL);
    g_assert_nonnull(host->held[i]);
}

/* What goes on meanwhile: a process ends and comes back, each seals a row with the key it thinks is
 * the current one, and each must open every row. */
static void
live(Host *host)
{
    if (g_rand_int_range(host->rand, 0, 3) == 0)
        start_holder(host, (guint)g_rand_int_range(host->rand, 0, N_HOLDERS));
    for (guint i = 0; i < N_HOLDERS; i++) {
        char **row = &host->rows[g_rand_int_range(host->rand, host->stubborn, N_ROWS)];
        g_free(*row);
        *row = g_strdup(host->held[i][0]);
    }
    for (guint i = 0; i < N_HOLDERS; i++)
        for (guint j = 0; j < N_ROWS; j++)
            g_assert_true(g_strv_contains((const char *const *)host->held[i], host->rows[j]));
}

static gboolean
instant(Host *host, GError **error)
{
    live(host);
    host->instants++;
    if (host->budget < 0 || host->budget-- > 0)
        return TRUE;
    return sl_error_set(error, SL_ERROR_CANCELLED, "killed");
}

static GBytes *
load(gpointer data, char **ret_pending, GError **error)
{
    Host *host = data;
    if (!instant(host, error))
        return NULL;
    *ret_pending = g_strdup(host->pending);
    return g_bytes_ref(host->ring);
}

static gboolean
store_ring(gpointer data, GBytes *ring, GError **error)
{
    Host *host = data;
    if (!instant(host, error))
        return FALSE;
    g_bytes_unref(host->ring);
    host->ring = g_bytes_ref(ring);
    return instant(host, error);
}

static gboolean
store_pending(gpointer data, const char *id, GError **error)
{
    Host *host = data;
    if (!instant(host, error))
        return FALSE;
    g_free(host->pending);
    host->pending = g_strdup(id);
    return instant(host, error);
}

static gboolean
spread(gpointer data, const char *const *ids, GError **error)
{
    Host *host = data;
    for (guint i = 0; i < N_HOLDERS; i++) {
        if (!instant(host, error))
            return FALSE;
        start_holder(host, i);
    }
    g_auto(GStrv) stored = ctl_rotate_ids(host->ring, NULL);
    g_assert_true(g_strv_equal(ids, (const char *const *)stored));
    return instant(host, error);
}

static gboolean
reseal(gpointer data, GError **error)
{
    Host *host = data;
    g_auto(GStrv) ids = ctl_rotate_ids(host->ring, NULL);
    for (guint i = 0; i < N_ROWS; i++) {
        if (i % 8 == 0 && !instant(host, error))
            return FALSE;
        if (host->stubborn && i == 0)
            continue;
        g_free(host->rows[i]);
        host->rows[i] = g_strdup(ids[0]);
    }
    for (guint i = 0; i < N_ROWS; i++)
        if (strcmp(host->rows[i], ids[0]) != 0)
            return sl_error_set(error, SL_ERROR_FAILED, "a row is left");
    return instant(host, error);
}

static void
tell(gpointer data, CtlRotateStep step)
{
    ((Host *)data)->told[step]++;
}

static const CtlRotateOps ops = {load, store_ring, store_pending, spread, reseal, tell};

static Host *
host_new(guint n_keys, guint32 seed)
{
    Host *host = g_new0(Host, 1);
    host->ring = make_bytes(n_keys);
    host->rand = g_rand_new_with_seed(seed);
    host->budget = -1;
    for (guint i = 0; i < N_HOLDERS; i++)
        start_holder(host, i);
    for (guint i = 0; i < N_ROWS; i++)
        host->rows[i] = g_strdup(host->held[0][i % n_keys]);
    return host;
}

static void
host_free(Host *host)
{
    g_bytes_unref(host->ring);
    g_free(host->pending);
    g_rand_free(host->rand);
    for (guint i = 0; i < N_HOLDERS; i++)
        g_strfreev(host->held[i]);
    for (guint i = 0; i < N_ROWS; i++)
        g_free(host->rows[i]);
    g_free(host);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Host, host_free)

/* One new key, everywhere; `id` is what the command says. */
static void
assert_rotated(Host *host, const char *id, const char *const *before)
{
    g_auto(GStrv) ids = ctl_rotate_ids(host->ring, NULL);
    g_assert_cmpuint(g_strv_length(ids), ==, 1);
    g_assert_cmpstr(ids[0], ==, id);
    g_assert_false(g_strv_contains(before, id));
    g_assert_null(host->pending);
    for (guint i = 0; i < N_ROWS; i++)
        g_assert_cmpstr(host->rows[i], ==, id);
    for (guint i = 0; i < N_HOLDERS; i++)
        g_assert_true(g_strv_equal((const char *const *)host->held[i], (const char *const *)ids));
}

static void
test_rotate(void)
{
    for (guint n_keys = 1; n_keys <= CTL_ROTATE_MAX_KEYS; n_keys++) {
        g_autoptr(Host) host = host_new(n_keys, n_keys);
        g_autoptr(GError) error = NULL;
        g_autofree char *id = NULL;
        g_auto(GStrv) before = g_strdupv(host->held[0]);
        g_assert_true(ctl_rotate_run(&ops, host, &id, &error));
        g_assert_no_error(error);
        assert_rotated(host, id, (const char *const *)before);
        /* A full ring is emptied first, and then really gets a new key. */
        g_assert_cmpuint(host->told[CTL_ROTATE_SEAL], ==, n_keys == CTL_ROTATE_MAX_KEYS ? 2 : 1);
    }
}

static gboolean
run_killed(Host *host, gint budget, char **ret_id)
{
    g_autoptr(GError) error = NULL;
    host->budget = budget;
    if (ctl_rotate_run(&ops, host, ret_id, &error))
        return FALSE;
    g_assert_error(error, SL_ERROR, SL_ERROR_CANCELLED);
    return TRUE;
}

/* Killed at each instant, and at each instant of the run after that; the third run ends it. Nobody
 * ever meets a row he cannot open: live() asserts it. */
static void
test_killed(void)
{
    guint n_killed = 0;
    gboolean killed = TRUE;
    for (gint first = 0; killed; first++) {
        gboolean again = TRUE;
        for (gint second = 0; again; second++) {
            g_autoptr(Host) host = host_new(1, (guint32)(first * 100 + second));
            g_autofree char *id = NULL, *first_id = NULL, *second_id = NULL;
            g_auto(GStrv) before = g_strdupv(host->held[0]);
            killed = run_killed(host, first, &first_id);
            if (!killed)
                break;
            again = run_killed(host, second, &second_id);
            n_killed++;
            host->budget = -1;
            if (again) {
                g_autoptr(GError) error = NULL;
                g_assert_true(ctl_rotate_run(&ops, host, &id, &error));
                g_assert_no_error(error);
            }
            assert_rotated(host, again ? id : second_id, (const char *const *)before);
        }
    }
    g_assert_cmpuint(n_killed, >, 400);
}

/* What stays under the old key keeps it in the ring, as often as it is tried. */
static void
test_stubborn(void)
{
    g_autoptr(Host) host = host_new(1, 7);
    g_auto(GStrv) before = g_strdupv(host->held[0]);
    g_autofree char *id = NULL;
    host->stubborn = TRUE;
    for (guint i = 0; i < 3; i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(ctl_rotate_run(&ops, host, &id, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_FAILED);
        g_auto(GStrv) ids = ctl_rotate_ids(host->ring, NULL);
        g_assert_cmpuint(g_strv_length(ids), ==, 2);
        g_assert_cmpstr(ids[1], ==, before[0]);
        live(host);
    }
    host->stubborn = FALSE;
    g_assert_true(ctl_rotate_run(&ops, host, &id, NULL));
    assert_rotated(host, id, (const char *const *)before);
}

static void
test_step(void)
{
    static const struct {
        const char *ids[4];
        const char *pending;
        CtlRotateStep step;
    } rows[] = {
        {{"a", NULL}, NULL, CTL_ROTATE_IDLE},
        {{"a", "b", NULL}, NULL, CTL_ROTATE_IDLE},
        {{"a", NULL}, "n", CTL_ROTATE_BEGIN},
        {{"a", "n", NULL}, "n", CTL_ROTATE_SPREAD},
        {{"a", "n", "b", NULL}, "n", CTL_ROTATE_SPREAD},
        {{"n", "a", NULL}, "n", CTL_ROTATE_SEAL},
        {{"n", "a", "b", NULL}, "n", CTL_ROTATE_SEAL},
        {{"n", NULL}, "n", CTL_ROTATE_FINISH},
    };
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpint(ctl_rotate_step(rows[i].ids, rows[i].pending), ==, rows[i].step);
    for (guint i = 0; i < CTL_ROTATE_N_STEPS; i++)
        g_assert_nonnull(ctl_rotate_texts[i]);
}

/* The new key not at the end, as in a ring that was made by hand: the others stay, in order. */
static void
test_middle(void)
{
    g_autoptr(Host) host = host_new(4, 3);
    g_auto(GStrv) before = g_strdupv(host->held[0]);
    g_autofree char *id = NULL;
    host->pending = g_strdup(before[2]);
    host->stubborn = TRUE;
    g_assert_false(ctl_rotate_run(&ops, host, &id, NULL));
    g_auto(GStrv) ids = ctl_rotate_ids(host->ring, NULL);
    const char *const wanted[] = {before[2], before[0], before[1], before[3], NULL};
    g_assert_true(g_strv_equal((const char *const *)ids, wanted));
}

static void
test_bad_ring(void)
{
    static const gsize lengths[] = {0, 1, 31, 33, 63, CTL_ROTATE_KEY_BYTES * 9};
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *zeros = g_malloc0(lengths[i] + 1);
        g_autoptr(GBytes) bytes = g_bytes_new(zeros, lengths[i]);
        g_autoptr(GError) error = NULL;
        g_assert_null(ctl_rotate_ids(bytes, &error));
        g_assert_error(error, SL_ERROR, SL_ERROR_CONFIG);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ctl/rotate/whole", test_rotate);
    g_test_add_func("/ctl/rotate/killed", test_killed);
    g_test_add_func("/ctl/rotate/stubborn", test_stubborn);
    g_test_add_func("/ctl/rotate/step", test_step);
    g_test_add_func("/ctl/rotate/middle", test_middle);
    g_test_add_func("/ctl/rotate/bad-ring", test_bad_ring);
    return g_test_run();
}
