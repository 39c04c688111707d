-- SPDX-License-Identifier: Apache-2.0
-- The ids are those of sl-queue-fixture.h.
insert into organization (organization_id, name, created_at) values ('00000000-0000-4000-8000-000000000001', 'o', now());
insert into workspace (workspace_id, organization_id, name, created_at) values ('00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001', 'w', now());
insert into actor_definition (definition_id, name, actor_type, runtime, command, docker_repository, docker_image_tag, spec,
    created_at, updated_at)
values ('00000000-0000-4000-8000-000000000002', 's', 'source', 'native', '["s"]', 's', '1', '{}', now(), now()),
       ('00000000-0000-4000-8000-000000000003', 'd', 'destination', 'native', '["d"]', 'd', '1', '{}', now(), now());
insert into actor (actor_id, workspace_id, definition_id, actor_type, name, configuration, created_at, updated_at)
values ('00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002', 'source', 's', '{}', now(), now()),
       ('00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000003', 'destination', 'd', '{}', now(), now());
insert into connection (connection_id, workspace_id, name, source_id, destination_id, catalog, created_at, updated_at)
values ('00000000-0000-4000-8000-000000000004', '00000000-0000-4000-8000-000000000001', 'c', '00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000003', '{"streams":[]}', now(), now());
