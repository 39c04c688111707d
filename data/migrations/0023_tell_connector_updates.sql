-- SPDX-License-Identifier: Apache-2.0
-- A connector has another version: the timelines of all connections that use it say so, whoever changed it (an administrator, the
-- builder, an upgrade of the package). Who did it is the transaction's, as with all events.
create function tell_connector_update() returns trigger language plpgsql as $$
begin
    insert into connection_event (event_id, connection_id, event_type, user_id, summary, created_at)
    select gen_random_uuid(), c.connection_id, 'CONNECTOR_UPDATE', nullif(current_setting('sluice.user', true), '')::uuid,
        jsonb_strip_nulls(jsonb_build_object('fromVersion', old.docker_image_tag, 'toVersion', new.docker_image_tag,
            'connectorType', upper(new.actor_type), 'connectorName', new.name,
            'sourceDefinitionId', case new.actor_type when 'source' then new.definition_id end,
            'destinationDefinitionId', case new.actor_type when 'destination' then new.definition_id end)),
        new.updated_at
    from actor a
    join connection c on c.source_id = a.actor_id or c.destination_id = a.actor_id
    where a.definition_id = new.definition_id and c.status <> 'deprecated';
    return null;
end $$;
create trigger connector_update after update of docker_image_tag on actor_definition
    for each row when (old.docker_image_tag is distinct from new.docker_image_tag)
    execute function tell_connector_update();

-- A workspace says whether it wants to hear of changes of schemas at all; a connection may be silent about its own.
alter table connection
    alter column notify_schema_changes set default true,
    alter column notify_schema_changes_by_email set default true;
update connection set notify_schema_changes = true, notify_schema_changes_by_email = true;
