-- One row: a meter as it is now; columns as in meter_versions.
create or replace view current_meters as (
    select meter_versions.* exclude (valid_to_at),
    from meter_versions
    where meter_versions.valid_to_at = 'infinity'::timestamptz
);
