/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Unpacked layers as one tree, without mounting it: what the overlay would show. Layers lie in
 * folders; a character device 0/0 hides what is below it (Documentation/filesystems/overlayfs.rst
 * of Linux). */

typedef struct SlOciStack SlOciStack;

SlOciStack *sl_oci_stack_new(void);
void sl_oci_stack_free(SlOciStack *stack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlOciStack, sl_oci_stack_free)

/* Lays a folder over what is there. */
gboolean sl_oci_stack_push(SlOciStack *stack, const char *folder, GError **error);

typedef enum { SL_OCI_MISSING, SL_OCI_FILE, SL_OCI_FOLDER, SL_OCI_LINK } SlOciKind;

/* What stands at a path ("usr/bin", "" is the root); no symbolic link is followed, neither at its
 * end nor on the way. */
SlOciKind sl_oci_stack_look(const SlOciStack *stack, const char *path);

/* The same, with links followed inside the tree as a process in it would see them; *ret_path (may
 * be NULL) is where it ended. */
SlOciKind sl_oci_stack_resolve(const SlOciStack *stack, const char *path, char **ret_path);

/* The names in a folder, sorted. */
GPtrArray *sl_oci_stack_list(const SlOciStack *stack, const char *path);

/* The content of a file, at most `max` bytes; NULL when it is none. */
char *sl_oci_stack_read(const SlOciStack *stack, const char *path, gsize max);

/* The absolute path of a program: `word` itself, or the first that $PATH `search` finds. */
char *sl_oci_stack_find_program(const SlOciStack *stack, const char *word, const char *search);
