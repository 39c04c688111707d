-- SPDX-License-Identifier: Apache-2.0
-- What a list needs of each of its rows, as functions that the planner takes apart (one select, returning a table): a scalar
-- function that looks into tables is called row by row, and planned each time.

create index catalog_newest on catalog (actor_id, coalesce(fetched_at, created_at) desc);

-- Does the newest catalog of a source differ from the one that is known? No row: nobody knows which one is.
create function source_news(source uuid, known uuid) returns table (has_news boolean) language sql stable as $$
    select case when k.hash <> '' and n.hash <> '' then k.hash <> n.hash else k.catalog_id <> n.catalog_id end
    from catalog k
    cross join lateral (
        select c.catalog_id, c.hash
        from catalog c
        where c.actor_id = source
        order by coalesce(c.fetched_at, c.created_at) desc
        limit 1) n
    where k.catalog_id = known
$$;

create or replace function source_has_changed(source uuid, known uuid) returns boolean language sql stable as $$
    select coalesce((select has_news from source_news(source, known)), false)
$$;

-- Who uses an actor, and how the last runs of those connections stand.
create function actor_use(actor uuid, type text)
    returns table (connections bigint, active_connections bigint, last_sync timestamptz, job_statuses jsonb)
    language sql stable as $$
    select coalesce(sum(per.n), 0)::bigint, coalesce(sum(per.active), 0)::bigint, max(per.last_sync),
        coalesce(jsonb_object_agg(per.status, per.n) filter (where per.status is not null), '{}')
    from (
        select j.status, count(*) as n, count(*) filter (where c.status = 'active') as active, max(j.created_at) as last_sync
        from (
            select connection_id, status from connection where type = 'source' and source_id = actor
            union all
            select connection_id, status from connection where type = 'destination' and destination_id = actor) c
        left join lateral (
            select status, created_at from job
            where scope = c.connection_id and config_type in ('sync', 'reset_connection', 'refresh', 'clear')
            order by job_id desc
            limit 1) j on true
        where c.status <> 'deprecated'
        group by j.status) per
$$;
