-- When a meter, or the device it is on, begins or ends to be what it is.
with

versions as (
    select meter_versions.valid_from_at, meter_versions.valid_to_at from meter_versions
    union all
    select device_versions.valid_from_at, device_versions.valid_to_at from device_versions
),

changes as (
    select unnest([versions.valid_from_at, versions.valid_to_at]) as changed_at
    from versions
)

select distinct changes.changed_at
from changes
where isfinite(changes.changed_at)
