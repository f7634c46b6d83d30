-- One row: a device as it is now; columns as in device_versions.
create or replace view current_devices as (
    select device_versions.* exclude (valid_to_at),
    from device_versions
    where device_versions.valid_to_at = 'infinity'::timestamptz
);
