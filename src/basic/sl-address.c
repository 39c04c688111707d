/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-address.h"

#include <arpa/inet.h>
#include <string.h>

const SlAddress sl_address_denied[] = {
    {AF_INET, {169, 254}, 4, 16},     /* link-local */
    {AF_INET6, {0xfe, 0x80}, 16, 64}, /* link-local */
    {AF_INET, {224}, 4, 4},           /* multicast */
    {AF_INET6, {0xff}, 16, 8},        /* multicast */
};
const gsize sl_address_n_denied = G_N_ELEMENTS(sl_address_denied);

static void
mask(SlAddress *address)
{
    for (gsize i = 0; i < address->length; i++) {
        guint32 first = (guint32)i * 8;
        guint32 kept = address->prefix > first ? MIN(address->prefix - first, 8) : 0;
        address->bytes[i] &= (guint8)(0xff00u >> kept);
    }
}

gboolean
sl_address_parse(const char *text, SlAddress *ret)
{
    const char *slash = strchr(text, '/');
    g_autofree char *plain = slash != NULL ? g_strndup(text, (gsize)(slash - text)) : NULL;
    const char *address = plain != NULL ? plain : text;
    guint64 prefix;
    *ret = (SlAddress){.family = strchr(address, ':') != NULL ? AF_INET6 : AF_INET};
    ret->length = ret->family == AF_INET6 ? 16 : 4;
    ret->prefix = (guint32)ret->length * 8;
    if (inet_pton(ret->family, address, ret->bytes) != 1)
        return FALSE;
    if (slash != NULL) {
        if (!g_ascii_string_to_unsigned(slash + 1, 10, 0, ret->prefix, &prefix, NULL))
            return FALSE;
        ret->prefix = (guint32)prefix;
    }
    mask(ret);
    return TRUE;
}

char *
sl_address_print(const SlAddress *address)
{
    char text[INET6_ADDRSTRLEN];
    inet_ntop(address->family, address->bytes, text, sizeof text);
    return g_strdup_printf("%s/%u", text, address->prefix);
}

gboolean
sl_address_overlaps(const SlAddress *a, const SlAddress *b)
{
    SlAddress left = *a, right = *b;
    left.prefix = right.prefix = MIN(a->prefix, b->prefix);
    mask(&left);
    mask(&right);
    return a->family == b->family && memcmp(left.bytes, right.bytes, left.length) == 0;
}

gboolean
sl_address_is_denied(const SlAddress *address)
{
    /* an IPv4 address in the clothes of IPv6 is the IPv4 one to the kernel */
    static const guint8 mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    SlAddress inner = {.family = AF_INET, .length = 4};
    if (address->family == AF_INET6 && address->prefix >= 96 &&
        memcmp(address->bytes, mapped, sizeof mapped) == 0) {
        memcpy(inner.bytes, address->bytes + 12, 4);
        inner.prefix = address->prefix - 96;
        address = &inner;
    }
    for (gsize i = 0; i < sl_address_n_denied; i++)
        if (sl_address_overlaps(address, &sl_address_denied[i]))
            return TRUE;
    return FALSE;
}
