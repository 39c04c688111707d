/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-webhook.h"

#include <string.h>

#include "sl-error.h"
#include "sl-http-client.h"

/* --- addresses ---------------------------------------------------------------------------------
 */

/* ::ffff:a.b.c.d and the like reach the IPv4 address in them. */
static GInetAddress *
unwrap(GInetAddress *address)
{
    static const guint8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const guint8 nat64[12] = {0, 0x64, 0xff, 0x9b};
    const guint8 *bytes = g_inet_address_to_bytes(address);
    if (g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6 &&
        (memcmp(bytes, mapped, sizeof mapped) == 0 || memcmp(bytes, nat64, sizeof nat64) == 0))
        return g_inet_address_new_from_bytes(bytes + 12, G_SOCKET_FAMILY_IPV4);
    return g_object_ref(address);
}

/* What GIO does not know: carriers' NAT 100.64/10 and unique local addresses fc00::/7. */
static gboolean
is_private(GInetAddress *address)
{
    const guint8 *bytes = g_inet_address_to_bytes(address);
    if (g_inet_address_get_is_loopback(address) || g_inet_address_get_is_site_local(address))
        return TRUE;
    return g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV4
               ? bytes[0] == 100 && (bytes[1] & 0xc0) == 64
               : (bytes[0] & 0xfe) == 0xfc;
}

/* 0.0.0.0/8 reaches this host, as :: does; 255.255.255.255 everybody. */
static gboolean
is_never(GInetAddress *address)
{
    const guint8 *bytes = g_inet_address_to_bytes(address);
    if (g_inet_address_get_is_link_local(address) || g_inet_address_get_is_multicast(address) ||
        g_inet_address_get_is_any(address))
        return TRUE;
    return g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV4 &&
           (bytes[0] == 0 || bytes[0] >= 240);
}

gboolean
sl_webhook_may_go(GInetAddress *address, const SlWebhookPolicy *policy)
{
    g_autoptr(GInetAddress) real = unwrap(address);
    return !is_never(real) && (policy->allow_private || !is_private(real));
}

static gboolean
guard_address(GInetAddress *address, gpointer data)
{
    return sl_webhook_may_go(address, data);
}

/* --- posting -----------------------------------------------------------------------------------
 */

/* The client's timeout is for each wait: a host that sends a byte now and then would hold us. */
typedef struct {
    GMutex mutex;
    GCond cond;
    gint64 end;
    gboolean done;
    GCancellable *cancellable;
} Deadline;

static gpointer
watch(gpointer data)
{
    Deadline *deadline = data;
    g_mutex_lock(&deadline->mutex);
    while (!deadline->done && g_cond_wait_until(&deadline->cond, &deadline->mutex, deadline->end))
        ;
    if (!deadline->done)
        g_cancellable_cancel(deadline->cancellable);
    g_mutex_unlock(&deadline->mutex);
    return NULL;
}

static gboolean
post(const char *url, const char *id, const char *body, const SlWebhookPolicy *policy,
     GCancellable *cancellable, GError **error)
{
    const char *const headers[] = {id != NULL ? "Idempotency-Key" : NULL, id, NULL};
    g_autoptr(SlHttpClient) client = sl_http_client_new("sluice/" PACKAGE_VERSION);
    g_autoptr(SlHttpUnixReply) reply = NULL;
    sl_http_client_set_guard(client, guard_address, (gpointer)policy);
    if (!sl_http_client_request(client, "POST", url, headers, body, policy->timeout_usec,
                                cancellable, &reply, error))
        return FALSE;
    return reply->status / 100 == 2 ||
           sl_error_set(error, SL_ERROR_FAILED, "the webhook answered with status %u",
                        reply->status);
}

gboolean
sl_webhook_post(const char *url, const char *id, const char *body, const SlWebhookPolicy *policy,
                GError **error)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) local = NULL;
    Deadline deadline = {.end = g_get_monotonic_time() + policy->timeout_usec,
                         .cancellable = cancellable};
    g_mutex_init(&deadline.mutex);
    g_cond_init(&deadline.cond);
    GThread *thread = g_thread_new("webhook-deadline", watch, &deadline);
    gboolean ok = post(url, id, body, policy, cancellable, &local);
    g_mutex_lock(&deadline.mutex);
    deadline.done = TRUE;
    g_cond_signal(&deadline.cond);
    g_mutex_unlock(&deadline.mutex);
    g_thread_join(thread);
    g_cond_clear(&deadline.cond);
    g_mutex_clear(&deadline.mutex);
    if (!ok && g_error_matches(local, SL_ERROR, SL_ERROR_CANCELLED))
        return sl_error_set(error, SL_ERROR_TIMED_OUT, "no answer in time");
    if (!ok)
        g_propagate_error(error, g_steal_pointer(&local));
    return ok;
}
