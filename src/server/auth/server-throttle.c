/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "server-throttle.h"

#define N_COUNTERS 4096
#define FORGIVE_USEC (15 * 60 * (gint64)G_USEC_PER_SEC) /* one failure less per so much quiet */

typedef struct {
    guint16 failures;
    gint64 last; /* of the last attempt that was let through */
} Counter;

struct ServerThrottle {
    GMutex mutex;
    guint8 key[32]; /* nobody outside knows which names share a counter */
    Counter counters[N_COUNTERS];
};

ServerThrottle *
server_throttle_new(void)
{
    ServerThrottle *throttle = g_new0(ServerThrottle, 1);
    g_mutex_init(&throttle->mutex);
    for (guint i = 0; i < sizeof(throttle->key); i++)
        throttle->key[i] = (guint8)g_random_int();
    return throttle;
}

void
server_throttle_free(ServerThrottle *throttle)
{
    if (throttle == NULL)
        return;
    g_mutex_clear(&throttle->mutex);
    g_free(throttle);
}

/* Names are compared as e-mail addresses are. */
static Counter *
find(ServerThrottle *throttle, const char *name)
{
    guint8 digest[32];
    gsize size = sizeof(digest);
    g_autofree char *lower = g_ascii_strdown(name, -1);
    g_autoptr(GHmac) hmac = g_hmac_new(G_CHECKSUM_SHA256, throttle->key, sizeof(throttle->key));
    g_hmac_update(hmac, (const guchar *)lower, -1);
    g_hmac_get_digest(hmac, digest, &size);
    return &throttle->counters[(digest[0] << 8 | digest[1]) % N_COUNTERS];
}

static guint
wait_of(guint failures)
{
    if (failures < SERVER_THROTTLE_FREE)
        return 0;
    guint step = MIN(failures - SERVER_THROTTLE_FREE, 10);
    return MIN(1u << step, SERVER_THROTTLE_MAX_SEC);
}

guint
server_throttle_begin(ServerThrottle *throttle, const char *name, gint64 now)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&throttle->mutex);
    Counter *counter = find(throttle, name);
    gint64 forgiven = (now - counter->last) / FORGIVE_USEC;
    if (forgiven > 0)
        counter->failures -= (guint16)MIN(forgiven, counter->failures);
    gint64 until = counter->last + wait_of(counter->failures) * (gint64)G_USEC_PER_SEC;
    if (counter->failures >= SERVER_THROTTLE_FREE && now < until)
        return (guint)((until - now + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
    counter->failures = (guint16)MIN(counter->failures + 1, 1000);
    counter->last = now;
    return 0;
}

void
server_throttle_success(ServerThrottle *throttle, const char *name, gboolean forget)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&throttle->mutex);
    Counter *counter = find(throttle, name);
    if (forget)
        counter->failures = 0;
    else if (counter->failures > 0)
        counter->failures--;
}
