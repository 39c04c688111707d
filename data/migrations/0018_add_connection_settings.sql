-- SPDX-License-Identifier: Apache-2.0
-- What clients of the config API set on a connection and read back.
alter table connection
    add column notify_schema_changes boolean not null default false,
    add column notify_schema_changes_by_email boolean not null default false,
    add column resource_requirements text;
