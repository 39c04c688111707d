-- SPDX-License-Identifier: Apache-2.0
-- One leader per name, by the database's clock. The term fences: a leader's transactions say leader_hold first.

-- name: leader_elect
-- int:
-- The new term, or 0 when another one holds an unexpired lease.
-- params: name text, holder text, lease_ms int8
insert into leader as l (name, holder, term, expires_at)
values ($1, $2, 1, now() + $3 * interval '1 millisecond')
on conflict (name) do update
set holder = excluded.holder, term = l.term + 1, expires_at = excluded.expires_at
where l.expires_at < now()
returning term;

-- name: leader_renew
-- exec:
-- params: name text, holder text, term int8, lease_ms int8
update leader
set expires_at = now() + $4 * interval '1 millisecond'
where name = $1 and holder = $2 and term = $3 and expires_at >= now();

-- name: leader_hold
-- int:
-- 1 when this term still leads; the row stays locked until the end of the transaction.
-- params: name text, holder text, term int8
select 1 from leader
where name = $1 and holder = $2 and term = $3 and expires_at >= now()
for share;

-- name: leader_resign
-- exec:
-- params: name text, holder text, term int8
update leader set expires_at = now() - interval '1 second'
where name = $1 and holder = $2 and term = $3;
