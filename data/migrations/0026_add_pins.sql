-- SPDX-License-Identifier: Apache-2.0
-- A connector that stays at its version until somebody says otherwise.
alter table actor_definition add column pinned boolean not null default false;
