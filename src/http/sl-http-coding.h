/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Content codings (RFC 9110, 8.4). */

/* Does Accept-Encoding name it, and not with a quality of nothing? NULL header: nothing is taken.
 */
gboolean sl_http_coding_is_taken(const char *header, const char *name);

/* The body in gzip; NULL when that would not be shorter. */
GBytes *sl_http_coding_gzip(GBytes *body);
