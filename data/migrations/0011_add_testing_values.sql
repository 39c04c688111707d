-- SPDX-License-Identifier: Apache-2.0
-- What the connector builder keeps: words about a manifest, and values to try a source with (secrets as references).
alter table declarative_manifest add column description text not null default '';
create table declarative_testing (
    definition_id uuid primary key references actor_definition,
    testing_values text not null,
    updated_at timestamptz not null
);
