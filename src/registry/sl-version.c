/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "sl-version.h"

#include <string.h>

static const char *
skip_v(const char *version)
{
    return (*version == 'v' || *version == 'V') && g_ascii_isdigit(version[1]) ? version + 1
                                                                               : version;
}

/* Two runs of digits of any length. */
static int
compare_digits(const char *a, gsize na, const char *b, gsize nb)
{
    while (na > 1 && *a == '0')
        a++, na--;
    while (nb > 1 && *b == '0')
        b++, nb--;
    if (na != nb)
        return na < nb ? -1 : 1;
    return memcmp(a, b, na);
}

/* The numbers "1.2.3"; returns where each side's end. */
static int
compare_core(const char **a, const char **b)
{
    int order = 0;
    while (g_ascii_isdigit(**a) || g_ascii_isdigit(**b)) {
        gsize na = strspn(*a, "0123456789"), nb = strspn(*b, "0123456789");
        if (order == 0)
            order = compare_digits(na > 0 ? *a : "0", MAX(na, 1), nb > 0 ? *b : "0", MAX(nb, 1));
        *a += na;
        *b += nb;
        if (**a == '.' && g_ascii_isdigit((*a)[1]))
            (*a)++;
        if (**b == '.' && g_ascii_isdigit((*b)[1]))
            (*b)++;
    }
    return order;
}

/* "rc.1": identifiers by their dots; numbers are below words, fewer below more. */
static int
compare_identifiers(const char *a, const char *b)
{
    for (;;) {
        gsize na = strcspn(a, ".+"), nb = strcspn(b, ".+");
        gboolean digits_a = na > 0 && strspn(a, "0123456789") == na;
        gboolean digits_b = nb > 0 && strspn(b, "0123456789") == nb;
        int order = digits_a && digits_b ? compare_digits(a, na, b, nb)
                    : digits_a           ? -1
                    : digits_b           ? 1
                                         : memcmp(a, b, MIN(na, nb));
        if (order == 0 && na != nb && !(digits_a && digits_b))
            order = na < nb ? -1 : 1;
        if (order != 0)
            return order;
        gboolean more_a = a[na] == '.', more_b = b[nb] == '.';
        if (!more_a || !more_b)
            return more_a - more_b;
        a += na + 1;
        b += nb + 1;
    }
}

int
sl_version_compare(const char *a, const char *b)
{
    a = skip_v(a);
    b = skip_v(b);
    int order = compare_core(&a, &b);
    if (order != 0)
        return order;
    gboolean rest_a = *a != '\0' && *a != '+', rest_b = *b != '\0' && *b != '+';
    if (!rest_a || !rest_b)
        return rest_b - rest_a; /* what comes before a release is below it */
    return compare_identifiers(a + (*a == '-'), b + (*b == '-'));
}

gboolean
sl_version_is_ordered(const char *version)
{
    version = skip_v(version);
    gsize n = strspn(version, "0123456789");
    return n > 0 && strchr(".-+", version[n]) != NULL; /* the NUL too */
}
