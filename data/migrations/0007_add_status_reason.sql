-- SPDX-License-Identifier: Apache-2.0
-- Why the platform has disabled a connection; null when a person did, or when it runs.

alter table connection add column status_reason text;
create function clear_status_reason() returns trigger language plpgsql as $$
begin
    new.status_reason := null;
    return new;
end
$$;
create trigger connection_enabled before update of status on connection for each row
    when (new.status = 'active') execute function clear_status_reason();
