/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "ctl-image.h"

#include <string.h>

#define DIGEST_START (sizeof "sha256:" - 1 + 12)

gboolean
ctl_image_check(const char *image)
{
    return strlen(image) < 512 &&
           g_regex_match_simple("^[A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+(?=/))?(/?[A-Za-z0-9._-]+)*"
                                "(:[A-Za-z0-9_][A-Za-z0-9._-]*)?(@sha256:[0-9a-f]{64})?$",
                                image, G_REGEX_DOLLAR_ENDONLY, 0) &&
           strstr(image, "..") == NULL;
}

/* A colon before the last slash is a registry's port. */
static gsize
name_length(const char *image)
{
    const char *slash = strrchr(image, '/');
    const char *last = slash != NULL ? slash : image;
    return (gsize)(last - image) + strcspn(last, ":@");
}

void
ctl_image_split(const char *image, char **ret_repository, char **ret_version)
{
    gsize name = name_length(image);
    const char *tag = image[name] == ':' ? image + name + 1 : NULL;
    const char *digest = strchr(image, '@');
    *ret_repository = g_strndup(image, name);
    if (tag != NULL)
        *ret_version = g_strndup(tag, strcspn(tag, "@"));
    else if (digest != NULL)
        *ret_version = g_strndup(digest + 1, DIGEST_START);
    else
        *ret_version = g_strdup("latest");
}

char *
ctl_image_source(const char *image)
{
    const char *digest = strchr(image, '@');
    g_autofree char *name = g_strndup(image, name_length(image));
    return digest != NULL ? g_strconcat(name, digest, NULL) : g_strdup(image);
}

const char *
ctl_image_guess_type(const char *const *names, guint n)
{
    static const char *const types[] = {"source", "destination"};
    for (guint i = 0; i < n; i++) {
        for (guint j = 0; names[i] != NULL && j < G_N_ELEMENTS(types); j++) {
            g_autofree char *infix = g_strconcat("-", types[j], "-", NULL);
            g_autofree char *last = g_strconcat("/", types[j], "-", NULL);
            if (g_str_has_prefix(names[i], infix + 1) || strstr(names[i], infix) != NULL ||
                strstr(names[i], last) != NULL)
                return types[j];
        }
    }
    return NULL;
}
