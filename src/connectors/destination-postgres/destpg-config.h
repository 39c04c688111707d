/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kit-config.h"

/* The configuration in the terms of libpq. Pure. */

typedef struct {
    const char *name; /* libpq's keyword (libpq-connect, "Parameter Key Words") */
    char *value;
} DestpgParam;

typedef struct {
    char *host, *database, *schema, *username;
    guint port;
    GArray *params;        /* DestpgParam: everything that is not a file */
    char *ca, *cert, *key; /* PEM texts; NULL: none */
    gint64 connect_timeout_usec;
    gboolean hard_delete;
    gboolean raw_only;
    char *raw_schema;
    gboolean drop_cascade;
    GPtrArray *ignored; /* names in jdbc_url_params that mean nothing to libpq and to us */
} DestpgConfig;

/* Errors are SL_ERROR_INVALID and name the property. */
DestpgConfig *destpg_config_new(const KitConfig *config, GError **error);
void destpg_config_free(DestpgConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DestpgConfig, destpg_config_free)
