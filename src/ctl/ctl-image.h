/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Names of images, NAME[:TAG][@sha256:DIGEST], NAME beginning with a registry's HOST[:PORT]/ or
 * not. Pure. */

gboolean ctl_image_check(const char *image);

/* "registry:5000/team/source-x:1.2@…" → "registry:5000/team/source-x" and "1.2"; without a tag the
 * start of the digest; without both "latest". */
void ctl_image_split(const char *image, char **ret_repository, char **ret_version);

/* Without the tag where there is a digest: skopeo takes only one of them, and the digest is what
 * counts. */
char *ctl_image_source(const char *image);

/* "source" or "destination", of the first of the names that says it ("airbyte/source-faker",
 * "airbyte-source-faker"); NULL: none does. */
const char *ctl_image_guess_type(const char *const *names, guint n);
