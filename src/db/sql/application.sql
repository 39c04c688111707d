-- SPDX-License-Identifier: Apache-2.0

-- name: application_add
-- row: ApplicationRow
-- params: application_id uuid, user_id uuid, name text, client_id text, client_secret_hash text, client_secret_sealed text?, now timestamptz
insert into application (application_id, user_id, name, client_id, client_secret_hash, client_secret_sealed, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
returning application_id, user_id, name, client_id, client_secret_hash, client_secret_sealed, created_at;

-- name: application_list
-- rows: ApplicationRow
-- params: user_id uuid
select application_id, user_id, name, client_id, client_secret_hash, client_secret_sealed, created_at
from application
where user_id = $1
order by created_at, application_id;

-- name: application_get
-- row: ApplicationRow
-- params: application_id uuid, user_id uuid
select application_id, user_id, name, client_id, client_secret_hash, client_secret_sealed, created_at
from application
where application_id = $1 and user_id = $2;

-- name: application_get_by_client
-- row: ApplicationRow
-- Of a living account.
-- params: client_id text
select x.application_id, x.user_id, x.name, x.client_id, x.client_secret_hash, x.created_at
from application x
join account a using (user_id)
where x.client_id = $1 and a.status <> 'disabled';

-- name: application_delete
-- row: ApplicationRow
-- params: application_id uuid, user_id uuid
delete from application
where application_id = $1 and user_id = $2
returning application_id, user_id, name, client_id, client_secret_hash, client_secret_sealed, created_at;

-- name: application_list_sealed
-- rows: ApplicationRow
-- Of all accounts, after an id; locked, so that nobody seals them anew meanwhile.
-- params: after uuid?, max int8
select application_id, client_secret_sealed
from application
where client_secret_sealed is not null and ($1 is null or application_id > $1)
order by application_id
limit $2
for update;

-- name: application_list_all_sealed
-- rows: ApplicationRow
-- params:
select application_id, client_secret_sealed
from application
where client_secret_sealed is not null
order by application_id;

-- name: application_set_sealed
-- exec:
-- params: application_id uuid, client_secret_sealed text
update application
set client_secret_sealed = $2
where application_id = $1;
