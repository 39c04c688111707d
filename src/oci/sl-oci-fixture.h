/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-oci-image.h"

/* For tests: layers and whole images, made here. */

/* A folder of a test's own; everything in it goes with it. */
char *oci_fixture_folder(void);
void oci_fixture_remove(char *folder);

/* One entry of a layer. Kinds: 'd' folder, 'f' file (text: its content), 'l' symbolic link (text:
 * where to), 'h' hard link (the same), 'c' and 'b' devices, 'p' a FIFO. Mode 0: 0755 of folders,
 * 0644 of the rest. */
typedef struct {
    char kind;
    const char *path, *text;
    guint mode;
} OciEntry;

typedef enum { OCI_PLAIN, OCI_GZIP, OCI_ZSTD } OciPacking;

/* A tar archive of them, ended by an entry without a path. */
GBytes *oci_fixture_tar(const OciEntry *entries);
GBytes *oci_fixture_pack(GBytes *tar, OciPacking packing);

char *oci_fixture_digest(GBytes *bytes); /* "sha256:…" */

/* Keeps a blob of a layout; its digest. */
char *oci_fixture_add_blob(const char *layout, GBytes *bytes);

/* An image: its layers, lowest first, NULL-terminated, and what the configuration's "config" is.
 * The digest of its manifest. */
char *oci_fixture_image(const char *layout, const OciEntry *const *layers, OciPacking packing,
                        const char *config);

/* "d etc|f etc/passwd|…" of all that is below a folder, sorted; 'w' is a whiteout, files have
 * "=CONTENT" and an 'x' for 'f' when they can be run. */
char *oci_fixture_list(const char *folder);
