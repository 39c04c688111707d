-- SPDX-License-Identifier: Apache-2.0

-- name: session_add
-- exec:
-- And away with those that are over.
-- params: session_id uuid, user_id uuid, refresh_hash text, now timestamptz, expires_at timestamptz
with old as (
    delete from session where expires_at <= $4
)
insert into session (session_id, user_id, refresh_hash, rotated_at, expires_at, created_at)
values ($1, $2, $3, $4, $5, $4);

-- name: session_lock
-- row: Session
-- params: session_id uuid, now timestamptz
select s.session_id, s.user_id, s.refresh_hash, s.previous_hash, s.rotated_at, s.expires_at
from session s
join account a using (user_id)
where s.session_id = $1 and s.expires_at > $2 and a.status <> 'disabled'
for update of s;

-- name: session_rotate
-- exec:
-- params: session_id uuid, refresh_hash text, now timestamptz
update session
set previous_hash = refresh_hash, refresh_hash = $2, rotated_at = $3
where session_id = $1;

-- name: session_delete
-- exec:
-- params: session_id uuid
delete from session where session_id = $1;

-- name: session_delete_expired
-- exec:
-- params: now timestamptz, batch int8
delete from session
where session_id in (select session_id from session where expires_at <= $1 order by expires_at limit $2);

-- name: setup_token_delete_expired
-- exec:
-- Used ones too: a link works once.
-- params: now timestamptz, batch int8
delete from setup_token
where token_hash in (select token_hash from setup_token where expires_at <= $1 or used_at is not null limit $2);

-- name: setup_token_add
-- exec:
-- One link per account: a new one makes the old one worthless.
-- params: token_hash text, user_id uuid, now timestamptz, expires_at timestamptz
with old as (
    delete from setup_token where user_id = $2
)
insert into setup_token (token_hash, user_id, created_at, expires_at)
values ($1, $2, $3, $4);

-- name: setup_token_serialize
-- text:
-- Two bootloaders at once must not both find that there is no link yet.
select pg_advisory_xact_lock(hashtext('sluice setup link'))::text;

-- name: setup_token_seed
-- int:
-- The first link of an installation: only when nobody can log in, and none was ever made.
-- params: token_hash text, user_id uuid, now timestamptz, expires_at timestamptz
with made as (
    insert into setup_token (token_hash, user_id, created_at, expires_at)
    select $1, user_id, $3, $4
    from account
    where user_id = $2 and not exists (select from setup_token)
      and not exists (select from account where password_hash is not null)
    returning 1)
select count(*) from made;

-- name: setup_token_lock
-- row: Account
-- The account that an unused link is for.
-- params: token_hash text, now timestamptz
select a.user_id, a.email, a.name, a.status, a.password_hash
from setup_token t
join account a using (user_id)
where t.token_hash = $1 and t.used_at is null and t.expires_at > $2 and a.status <> 'disabled'
for update of t;

-- name: setup_token_use
-- exec:
-- params: token_hash text, now timestamptz
update setup_token set used_at = $2 where token_hash = $1;
