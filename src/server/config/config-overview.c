/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"
#include "config-overview.h"

#include <string.h>

#include "sl-error.h"

/* --- how it stands -------------------------------------------------------------------------------
 */

ConfigStanding
config_standing_of(const SlConfigOverviewRow *row)
{
    gboolean ran =
        sl_record_has(&sl_config_overview_row_record, row, SL_CONFIG_OVERVIEW_ROW_JOB_ID);
    return (ConfigStanding){
        .active = row->status == SL_CONFIG_CONNECTION_STATUS_ACTIVE,
        .job_type = ran ? (int)row->config_type : -1,
        .job_status = (SlJobStatus)row->job_status,
        .config_error = row->config_error,
        .broken = row->breaking_change,
    };
}

static gboolean
wipes(int job_type)
{
    return job_type == SL_CONFIG_TYPE_RESET_CONNECTION || job_type == SL_CONFIG_TYPE_CLEAR;
}

/* The first that is true. A job between two attempts is still being done; what failed because of
 * the configuration needs somebody, even when nobody runs it any more. */
SlConfigConnectionSyncStatus
config_standing_status(const ConfigStanding *standing)
{
    gboolean ran = standing->job_type >= 0;
    SlJobStatus job = standing->job_status;
    if (ran && (job == SL_JOB_STATUS_RUNNING || job == SL_JOB_STATUS_INCOMPLETE))
        return SL_CONFIG_CONNECTION_SYNC_STATUS_RUNNING;
    if (ran && job == SL_JOB_STATUS_PENDING)
        return SL_CONFIG_CONNECTION_SYNC_STATUS_QUEUED;
    if (standing->broken || (ran && job == SL_JOB_STATUS_FAILED && standing->config_error))
        return SL_CONFIG_CONNECTION_SYNC_STATUS_FAILED;
    if (!standing->active)
        return SL_CONFIG_CONNECTION_SYNC_STATUS_PAUSED;
    if (ran && job == SL_JOB_STATUS_CANCELLED)
        return SL_CONFIG_CONNECTION_SYNC_STATUS_INCOMPLETE;
    if (!ran || wipes(standing->job_type))
        return SL_CONFIG_CONNECTION_SYNC_STATUS_PENDING;
    if (job == SL_JOB_STATUS_FAILED)
        return SL_CONFIG_CONNECTION_SYNC_STATUS_INCOMPLETE;
    return SL_CONFIG_CONNECTION_SYNC_STATUS_SYNCED;
}

ConfigGroup
config_standing_group(SlConfigConnectionSyncStatus status)
{
    static const ConfigGroup groups[] = {
        [SL_CONFIG_CONNECTION_SYNC_STATUS_RUNNING] = CONFIG_GROUP_RUNNING,
        [SL_CONFIG_CONNECTION_SYNC_STATUS_QUEUED] = CONFIG_GROUP_QUEUED,
        [SL_CONFIG_CONNECTION_SYNC_STATUS_FAILED] = CONFIG_GROUP_FAILED,
        [SL_CONFIG_CONNECTION_SYNC_STATUS_PAUSED] = CONFIG_GROUP_PAUSED,
        [SL_CONFIG_CONNECTION_SYNC_STATUS_PENDING] = CONFIG_GROUP_NOT_SYNCED,
        [SL_CONFIG_CONNECTION_SYNC_STATUS_INCOMPLETE] = CONFIG_GROUP_FAILED,
        [SL_CONFIG_CONNECTION_SYNC_STATUS_SYNCED] = CONFIG_GROUP_HEALTHY,
    };
    return groups[status];
}

/* --- filters -------------------------------------------------------------------------------------
 */

/* A filter knows no word for what is not there yet; what waits for its turn is running for it. */
static const char *const group_words[CONFIG_N_GROUPS] = {
    [CONFIG_GROUP_RUNNING] = "running", [CONFIG_GROUP_QUEUED] = "running",
    [CONFIG_GROUP_HEALTHY] = "healthy", [CONFIG_GROUP_FAILED] = "failed",
    [CONFIG_GROUP_PAUSED] = "paused",
};

static gboolean
check_words(char *const *words, const char *const *known, const char *name, GError **error)
{
    for (; words != NULL && *words != NULL; words++)
        if (!g_strv_contains(known, *words))
            return sl_error_set(error, SL_ERROR_INVALID, "filters.%s: '%s' is not known", name,
                                *words);
    return TRUE;
}

gboolean
config_overview_check(const SlConfigOverviewRequest *in, GError **error)
{
    static const char *const statuses[] = {"healthy", "failed", "running", "paused", NULL};
    static const char *const states[] = {"active", "inactive", NULL};
    return in->filters == NULL ||
           (check_words(in->filters->statuses, statuses, "statuses", error) &&
            check_words(in->filters->states, states, "states", error));
}

/* No list and an empty one: everything. */
static gboolean
is_among(char *const *list, const char *word)
{
    if (list == NULL || list[0] == NULL)
        return TRUE;
    for (; word != NULL && *list != NULL; list++)
        if (g_ascii_strcasecmp(*list, word) == 0)
            return TRUE;
    return FALSE;
}

static gboolean
has_tag(char *const *list, const SlConfigOverviewRow *row, GHashTable *tags)
{
    const GPtrArray *mine = g_hash_table_lookup(tags, row->connection_id);
    if (list == NULL || list[0] == NULL)
        return TRUE;
    for (guint i = 0; mine != NULL && i < mine->len; i++)
        if (is_among(list, ((const SlConnectionTagRow *)mine->pdata[i])->tag_id))
            return TRUE;
    return FALSE;
}

static gboolean
has_term(const char *term, const SlConfigOverviewRow *row)
{
    const char *const names[] = {row->name, row->source_name, row->destination_name,
                                 row->source_definition_name, row->destination_definition_name};
    g_autofree char *folded = term != NULL ? g_utf8_casefold(term, -1) : NULL;
    for (guint i = 0; folded != NULL && i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = g_utf8_casefold(names[i], -1);
        if (strstr(name, folded) != NULL)
            return TRUE;
    }
    return folded == NULL;
}

gboolean
config_overview_matches(const SlConfigOverviewRequest *in, const SlConfigOverviewRow *row,
                        GHashTable *tags)
{
    const SlConfigOverviewFilters *filters = in->filters;
    if (!is_among(in->source_id, row->source_id) ||
        !is_among(in->destination_id, row->destination_id))
        return FALSE;
    if (filters == NULL)
        return TRUE;
    ConfigStanding standing = config_standing_of(row);
    ConfigGroup group = config_standing_group(config_standing_status(&standing));
    return is_among(filters->statuses, group_words[group]) &&
           is_among(filters->states, standing.active ? "active" : "inactive") &&
           is_among(filters->source_definition_ids, row->source_definition_id) &&
           is_among(filters->destination_definition_ids, row->destination_definition_id) &&
           has_tag(filters->tag_ids, row, tags) && has_term(filters->search_term, row) &&
           !filters->on_demand_enabled;
}

/* --- order ---------------------------------------------------------------------------------------
 */

typedef enum { BY_NAME, BY_SOURCE, BY_DESTINATION, BY_SYNC } Key;

/* What a row is compared by, made once: a name is folded for itself and not for each comparison. */
typedef struct {
    SlConfigOverviewRow *row;
    char *folded;
} Place;

static void
place_clear(gpointer data)
{
    g_free(((Place *)data)->folded);
}

static char *
fold(Key key, const SlConfigOverviewRow *row)
{
    const char *names[] = {row->name, row->source_name, row->destination_name};
    return key != BY_SYNC ? g_utf8_casefold(names[key], -1) : NULL;
}

/* Equal ones stand in the order of their ids, so that pages do not overlap. */
static int
compare(gconstpointer a, gconstpointer b, gpointer data)
{
    const Place *left = a, *right = b;
    int order = GPOINTER_TO_INT(data), result;
    if (order / 2 == BY_SYNC) /* without a job: before all others */
        result = (left->row->job_created_at > right->row->job_created_at) -
                 (left->row->job_created_at < right->row->job_created_at);
    else
        result = strcmp(left->folded, right->folded);
    if (order % 2 != 0)
        result = -result;
    return result != 0 ? result : strcmp(left->row->connection_id, right->row->connection_id);
}

/* The words of sortKey: four keys, each upwards and then downwards. */
void
config_overview_sort(const SlConfigOverviewRequest *in, GPtrArray *rows)
{
    int order =
        sl_record_has(&sl_config_overview_request_record, in, SL_CONFIG_OVERVIEW_REQUEST_SORT_KEY)
            ? (int)in->sort_key
            : SL_CONFIG_OVERVIEW_REQUEST_SORT_KEY_CONNECTION_NAME_ASC;
    g_autoptr(GArray) places = g_array_sized_new(FALSE, FALSE, sizeof(Place), rows->len);
    g_array_set_clear_func(places, place_clear);
    for (guint i = 0; i < rows->len; i++) {
        const Place place = {rows->pdata[i], fold((Key)(order / 2), rows->pdata[i])};
        g_array_append_val(places, place);
    }
    g_array_sort_with_data(places, compare, GINT_TO_POINTER(order));
    for (guint i = 0; i < rows->len; i++)
        rows->pdata[i] = g_array_index(places, Place, i).row;
}
