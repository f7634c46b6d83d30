-- given: its devices as configured now. A row that stays as it was is left alone, one that changed is
-- closed and opened anew. valid_to is compared by equality so that DuckDB joins by hash.
merge into devices
using (
    select distinct *, $opened_at as valid_from, null::timestamptz as valid_to from given
) as configured
on
    devices.valid_to is not distinct from configured.valid_to
    and devices.device = configured.device
    and devices.profile = configured.profile
    and devices.device_role = configured.device_role
    and devices.interval_s = configured.interval_s
    and devices.hall = configured.hall
    and devices.row = configured.row
    and devices.rack = configured.rack
when not matched then insert
when not matched by source and devices.valid_to is null then update set valid_to = $closed_at
