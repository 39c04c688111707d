-- SPDX-License-Identifier: Apache-2.0
-- What pages keep of a workspace. The slug stands in their addresses; one that nobody chose is random.
alter table workspace
    add column slug text not null default gen_random_uuid()::text,
    add column customer_id uuid not null default gen_random_uuid(),
    add column settings jsonb not null default '{}',
    add unique (slug);
