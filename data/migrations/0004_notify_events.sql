-- SPDX-License-Identifier: Apache-2.0
-- What the page hears of: each change is told where it is written, by whoever writes it, with ids only.
-- Payload: kind, workspace (- for none), ids and states, separated by spaces. Equal payloads of a transaction are one.

create function notify_connection() returns trigger language plpgsql as $$
declare
    row connection%rowtype := coalesce(new, old);
begin
    perform pg_notify('sluice_event', concat_ws(' ', 'connection', row.workspace_id, row.connection_id, lower(tg_op), row.status));
    return null;
end
$$;
-- Not the columns that the scheduler keeps.
create trigger connection_changed_event
    after insert or delete or update of name, status, catalog, namespace_definition, namespace_format, prefix, schedule_type,
        cron_expression, cron_timezone, basic_interval_sec, non_breaking_changes
    on connection for each row execute function notify_connection();

create function notify_job() returns trigger language plpgsql as $$
begin
    perform pg_notify('sluice_event', concat_ws(' ', 'job', new.workspace_id, new.job_id, new.status, new.config_type, new.scope));
    return null;
end
$$;
create trigger job_added_event after insert on job for each row execute function notify_job();
create trigger job_changed_event after update of status on job for each row
    when (old.status is distinct from new.status) execute function notify_job();

create function notify_definition() returns trigger language plpgsql as $$
begin
    perform pg_notify('sluice_event', concat_ws(' ', 'definition', '-', coalesce(new.definition_id, old.definition_id), lower(tg_op)));
    return null;
end
$$;
create trigger definition_changed_event after insert or update or delete on actor_definition
    for each row execute function notify_definition();
