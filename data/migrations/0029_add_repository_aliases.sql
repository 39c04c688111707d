-- SPDX-License-Identifier: Apache-2.0
-- images of public connectors that this one stands in for, as clients name them: airbyte/source-faker
alter table actor_definition add column alias_repositories text[] not null default '{}';
