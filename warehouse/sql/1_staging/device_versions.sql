-- One row: a device, what it is for and where it stood, for a time.
-- interval_s: seconds between its scheduled polls. valid_to_at: infinity where still true.
create or replace view device_versions as (
    select
        devices.device,
        devices.profile,
        devices.device_role,
        devices.hall,
        devices.row,
        devices.rack,
        devices.interval_s,
        devices.valid_from as valid_from_at,
        coalesce(devices.valid_to, 'infinity'::timestamptz) as valid_to_at,
    from devices
);
