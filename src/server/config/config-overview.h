/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-records.h"

/* How a connection stands, as pages show it. Pure. */

/* What decides it. A connection without a job has job_type -1. */
typedef struct {
    gboolean active;
    int job_type; /* SlConfigType of the last job */
    SlJobStatus job_status;
    gboolean config_error; /* the last attempt failed because of what is configured */
    gboolean broken;       /* its source has lost what a sync needs */
} ConfigStanding;

ConfigStanding config_standing_of(const SlConfigOverviewRow *row);

SlConfigConnectionSyncStatus config_standing_status(const ConfigStanding *standing);

/* A page's list counts and filters by fewer words. */
typedef enum {
    CONFIG_GROUP_RUNNING,
    CONFIG_GROUP_QUEUED,
    CONFIG_GROUP_HEALTHY,
    CONFIG_GROUP_FAILED,
    CONFIG_GROUP_PAUSED,
    CONFIG_GROUP_NOT_SYNCED,
    CONFIG_N_GROUPS
} ConfigGroup;

ConfigGroup config_standing_group(SlConfigConnectionSyncStatus status);

/* `tags`: server_tags_load() of all rows. SL_ERROR_INVALID: a word of a filter is not known. */
gboolean config_overview_check(const SlConfigOverviewRequest *in, GError **error);
gboolean config_overview_matches(const SlConfigOverviewRequest *in, const SlConfigOverviewRow *row,
                                 GHashTable *tags);

/* In place, SlConfigOverviewRow; by the connection's name unless the client says otherwise. */
void config_overview_sort(const SlConfigOverviewRequest *in, GPtrArray *rows);
