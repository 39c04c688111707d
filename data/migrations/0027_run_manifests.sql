-- SPDX-License-Identifier: Apache-2.0
-- Manifests are run: by an environment of the kit that they share, and with code of their own only when the host's administrator
-- has consented to exactly that code.
update actor_definition
set runtime = 'manifest', command = '["sluice_connector"]'
where runtime = 'declarative';

-- version of airbyte-cdk in `tree`; '' = it is no environment that runs manifests
alter table actor_definition add column kit_version text not null default '';

alter table declarative_manifest add column components text;
alter table declarative_manifest add column components_sha256 text;
alter table declarative_manifest add check ((components is null) = (components_sha256 is null));
