/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* What is known about an image that is unpacked: image.json in its folder, written once by the
 * sandbox that has unpacked it, read by the launcher.
 *
 *   STORE/layers/ID           one layer; ID: 32 digits that name it and all layers below it
 *   STORE/roots/DIGEST/       an image: image.json, and mounts/, the topmost layer with all that
 *                             must exist for something to be mounted on it
 *   STORE/roots/.DIGEST.N/    one that was removed; it and its layers go when nothing runs on them
 */

#define SL_OCI_STORE "/var/lib/sluice/images"
#define SL_OCI_RECORD "image.json"
#define SL_OCI_MOUNTS "mounts"

typedef struct {
    char *image;     /* "sha256:…", of its manifest */
    char *reference; /* what it was asked for by, for people */
    /* What its labels say (sl-oci-image.h); NULL: nothing. */
    char *name; /* "airbyte/source-faker" */
    char *version;
    char *type;         /* "source", "destination" */
    char *title;        /* for people */
    char **layers;      /* ids, lowest first */
    char **command;     /* argv before the operation; [0] is absolute */
    char **environment; /* NAME=VALUE */
    char *directory;    /* to work in, absolute */
} SlOciRecord;

void sl_oci_record_free(SlOciRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlOciRecord, sl_oci_record_free)

char *sl_oci_record_print(const SlOciRecord *record);
SlOciRecord *sl_oci_record_parse(const char *text, gsize len, GError **error);

/* Of the image in `root`, STORE/roots/DIGEST. */
SlOciRecord *sl_oci_record_load(const char *root, GError **error);

/* Options of the overlay that shows the image in `root`: "lowerdir=…", topmost layer first.
 * SL_ERROR_TOO_LARGE: the kernel takes no line that long. */
char *sl_oci_record_lowerdir(const SlOciRecord *record, const char *root, GError **error);

/* STORE/roots/64 digits; FALSE for everything else. */
gboolean sl_oci_is_root(const char *store, const char *path);
gboolean sl_oci_is_layer_id(const char *text);
