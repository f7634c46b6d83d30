-- One row: the part of a period in which one version of a meter was in force.
-- part_s: its length in seconds; the rest as in meter_versions and buckets.
create or replace macro meter_parts(from_at, to_at, grain := 'window', roles := 'all') as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

parts as (
    select
        periods.*,
        meter_versions.* exclude (valid_from_at, valid_to_at),
        greatest(periods.period_start_at, meter_versions.valid_from_at) as part_start_at,
        least(periods.period_end_at, meter_versions.valid_to_at) as part_end_at,
    from periods
    inner join meter_versions
        on meter_versions.valid_from_at < periods.period_end_at
        and meter_versions.valid_to_at > periods.period_start_at
        and is_among(meter_versions.meter_role, roles)
),

final as (
    select
        parts.*,
        seconds_between(parts.part_start_at, parts.part_end_at) as part_s,
    from parts
)

select * from final
);
