/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

typedef struct {
    const char *suffix; /* NULL: every file */
    gint64 older_than;  /* microseconds; by time of the last change */
} CronFileRule;

typedef struct {
    guint files;
    guint64 bytes;
} CronFileCount;

/* Deletes files of `folder` and the folders right below it (JOB/ATTEMPT.ndjson), and such a folder
 * when it has become empty. Never follows a symbolic link. What cannot be deleted is logged and
 * left; only an unreadable `folder` is an error, a missing one is not. */
gboolean cron_files_delete(const char *folder, const CronFileRule *rule, CronFileCount *ret,
                           GError **error);

/* The same in one folder right below. */
void cron_files_delete_folder(const char *folder, const char *name, const CronFileRule *rule,
                              CronFileCount *ret);

/* Names of folders that are numbers of jobs. A missing folder has none. */
GPtrArray *cron_files_list_jobs(const char *folder);

/* Those of them in which a log lies that is not compressed. */
GPtrArray *cron_files_list_plain(const char *folder);
