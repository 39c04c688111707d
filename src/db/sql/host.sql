-- SPDX-License-Identifier: Apache-2.0

-- name: host_database_get
-- row: HostDatabase
-- params:
select
    current_setting('server_version') as version,
    pg_database_size(current_database()) as size_bytes,
    (select count(*) from pg_stat_activity where datname = current_database()) as connections,
    current_setting('max_connections')::bigint as max_connections,
    (select max(version)::bigint from schema_migration) as migration,
    (select max(applied_at) from schema_migration) as migrated_at;

-- name: host_data_plane_list
-- rows: HostDataPlane
-- params: now timestamptz
select
    w.data_plane_id as name,
    w.data_plane_group as "group",
    count(*) filter (where w.finished_at is null) as running,
    count(*) filter (where w.finished_at > $1 - interval '1 day') as finished_today,
    count(*) filter (where w.finished_at > $1 - interval '1 day' and w.status = 'failure') as failed_today,
    count(*) filter (where w.finished_at is null and l.expires_at < $1) as lost,
    max(greatest(l.heartbeat_at, w.updated_at)) as heard_at
from workload w
left join workload_lease l using (workload_id)
where w.data_plane_id is not null and (w.finished_at is null or w.finished_at > $1 - interval '1 day')
group by w.data_plane_id, w.data_plane_group
order by w.data_plane_id, w.data_plane_group;

-- name: host_queue_list
-- rows: HostQueue
-- params:
select data_plane_group as "group", count(*) as waiting, min(created_at) as oldest_at
from workload_queue
group by data_plane_group
order by data_plane_group;
