/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sl-config.h"
#include "sl-db.h"
#include "sl-seal.h"

/* Housekeeping: each duty is a row of one table, a timer, and a name for RunDuty. A duty may be run
 * at any time and any number of times. */
typedef struct {
    SlDb *db;
    const SlConfig *config;
    const char *log_folder; /* /var/log/sluice/jobs */
    gint64 now;             /* microseconds */
    const SlSealKey *key;   /* NULL: there is no master key here */
    /* of the duty `notifications` */
    const char *smtp_password; /* NULL: none */
    const char *wake_file;     /* what has started it; NULL: none */
    const char *templates;     /* folder of the administrator's templates; NULL: the usual one */
    /* starts a unit that the administrator has allowed, for a run; *ret_result: a word for the
     * timeline, to be freed. In any thread. NULL: nobody can be asked */
    gboolean (*start_unit)(const char *unit, gint64 job_id, gpointer data, char **ret_result,
                           GError **error);
    gpointer start_unit_data;
    gint64 (*clock)(void); /* NULL: g_get_real_time */
} CronContext;

typedef struct {
    const char *name;
    const char *summary; /* N_() */
    /* *ret_result: a line that says what was done, to be freed. */
    gboolean (*run)(const CronContext *context, char **ret_result, GError **error);
} CronDuty;

extern const CronDuty cron_duties[];
extern const guint cron_n_duties;

/* SL_ERROR_NOT_FOUND lists the names. */
const CronDuty *cron_duty_find(const char *name, GError **error);
