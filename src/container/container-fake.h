/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* For tests: a container engine that has one image and at most one container, which is the real
 * sluice-init as a process of ours. What it answers can be changed for each kind of request. */
typedef struct Fake Fake;

Fake *fake_new(const char *folder);
void fake_free(Fake *fake);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fake, fake_free)
const char *fake_get_path(const Fake *fake);
const char *fake_get_files(const Fake *fake); /* what the container has as /run/sluice-files */

/* The next requests whose "METHOD PATH" has `part` in it, `times` of them, are answered so; status
 * 0: the connection ends without a byte. */
void fake_answer(Fake *fake, const char *part, guint times, guint status, const char *body);
/* Members of the image's "Config". */
void fake_set_config(Fake *fake, const char *json);
/* What lists of containers have besides. */
void fake_add_other(Fake *fake, const char *id, const char *name);

/* All requests so far, "METHOD PATH BODY\n" each; to be freed. */
char *fake_dup_requests(Fake *fake);
