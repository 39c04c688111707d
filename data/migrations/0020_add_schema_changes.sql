-- SPDX-License-Identifier: Apache-2.0
-- What becomes of a source's streams, and what a connection does about it.

-- Of the catalog's meaning (sl_catalog_hash); '' = from before, compared by id. A catalog that is discovered again under the same
-- key is the same row, fetched later.
alter table catalog
    add column hash text not null default '',
    add column fetched_at timestamptz;

alter table connection
    -- the discovered catalog that its own was made from; null: nobody knows, the next one will be
    add column source_catalog_id uuid references catalog on delete set null,
    -- the one whose changes were told of: once
    add column told_catalog_id uuid references catalog on delete set null,
    -- it was disabled because the source has lost what a sync hangs on, and nobody has looked yet
    add column breaking_change boolean not null default false,
    -- do fields that are new make a stream be read again?
    add column backfill text not null default 'disabled' check (backfill in ('enabled', 'disabled'));

-- The discover job that a sync's first attempt waits for: its end, whatever it is, lets it go on.
alter table job add column discover_job_id bigint references job on delete set null;
create index job_waiting_for on job (discover_job_id) where discover_job_id is not null;

-- Does the newest catalog of a source differ from the one that is known?
create function source_has_changed(source uuid, known uuid) returns boolean language sql stable as $$
    select coalesce((
        select case when k.hash <> '' and n.hash <> '' then k.hash <> n.hash else k.catalog_id <> n.catalog_id end
        from catalog k
        cross join lateral (
            select c.catalog_id, c.hash
            from catalog c
            where c.actor_id = source
            order by coalesce(c.fetched_at, c.created_at) desc
            limit 1) n
        where k.catalog_id = known), false)
$$;
