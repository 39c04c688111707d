-- SPDX-License-Identifier: Apache-2.0
-- hosts that a connector may reach, as its administrator says: names, blocks of addresses, ${property}; null: as the registry says
alter table actor_definition add column allowed_hosts jsonb check (jsonb_typeof(allowed_hosts) = 'array');
