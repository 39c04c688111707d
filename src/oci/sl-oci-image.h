/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* An OCI image as it lies in a folder (image-layout.md, manifest.md and config.md of the OCI image
 * specification; manifests of Docker's schema 2 too). Everything in it is foreign: digests are
 * computed before a text is believed, and every error names the file or member. */

/* Labels of public connectors' images, and of our own bundles, by which a connector is registered
 * on another host as it was on the first. */
#define SL_OCI_LABEL_NAME "io.airbyte.name"
#define SL_OCI_LABEL_VERSION "io.airbyte.version"
#define SL_OCI_LABEL_TYPE "org.sluice.connector.type"
#define SL_OCI_LABEL_TITLE "org.sluice.connector.title"

typedef struct {
    char *digest;  /* "sha256:…" of the blob as it lies there */
    char *diff_id; /* the same of the tar archive in it */
    gint64 size;   /* of the blob */
} SlOciLayer;

typedef struct {
    char *digest;       /* of the manifest */
    char *architecture; /* Go's names: "amd64", "arm64" */
    GPtrArray *layers;  /* SlOciLayer, lowest first */
    char **environment; /* NAME=VALUE, without control characters */
    char **entrypoint, **command;
    char *user, *directory; /* WorkingDir, absolute; "" and "/" when not said */
    char *name, *version;   /* labels SL_OCI_LABEL_…; may be NULL */
    char *type, *title;     /* the same */
} SlOciImage;

void sl_oci_image_free(SlOciImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlOciImage, sl_oci_image_free)

/* Reads the one image of a layout that is for this architecture. SL_ERROR_INVALID: it is damaged,
 * or a digest is wrong; SL_ERROR_NOT_FOUND: no image of that architecture. */
SlOciImage *sl_oci_image_load(const char *layout, const char *architecture, GError **error);

/* Go's name of the architecture that we run on. */
const char *sl_oci_architecture(void);

/* "sha256:" and 64 hexadecimal digits. */
gboolean sl_oci_is_digest(const char *text);

/* What starts the connector: AIRBYTE_ENTRYPOINT= of its environment, else Entrypoint, else Cmd.
 * SL_ERROR_INVALID when it has none. */
GStrv sl_oci_image_get_argv(const SlOciImage *image, GError **error);

/* The value of a variable in a list of NAME=VALUE; NULL: not set. */
const char *sl_oci_environment_get(char *const *environment, const char *name);
