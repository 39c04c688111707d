/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* A program of ours in a transient unit without privileges: a user of its own, a read-only system,
 * one folder to write to. Needs root and systemd. */

/* The folder as the sandbox sees it, and where it really is (DynamicUser= puts it below private/).
 */
#define CTL_SANDBOX_FOLDER "/var/cache/sluice-pypi"
#define CTL_SANDBOX_REAL_FOLDER "/var/cache/private/sluice-pypi"

typedef struct {
    const char *title;             /* for people: "Resolving airbyte-source-faker" */
    const char *const *properties; /* besides the common ones, "Name=value" */
    const char *const *argv;
    const char *input; /* for standard input */
    int input_fd;      /* the same as a descriptor; -1: `input` */
    gboolean quiet;
} CtlSandbox;

/* Runs it to its end; *ret_output is what it wrote to standard output. SL_ERROR_FAILED with the
 * last lines of its standard error; SL_ERROR_CANCELLED when interrupted: the unit is stopped. */
gboolean ctl_sandbox_run(const CtlSandbox *sandbox, char **ret_output, GError **error);

/* Removes a folder and all in it; nobody else may be using it. A missing one is fine. */
gboolean ctl_tree_remove(const char *path, GError **error);

/* Makes a tree that a sandbox has built root's: everybody may read it, nobody else change it. Only
 * folders, files and symbolic links are accepted. */
gboolean ctl_tree_adopt(const char *path, GError **error);

/* The same for a layer of an image, which has whiteouts too (character devices 0/0). */
gboolean ctl_tree_adopt_layer(const char *path, GError **error);

/* Moves the tree to `target`, which does not exist; it appears there whole or not at all. */
gboolean ctl_tree_move(const char *path, const char *target, GError **error);
