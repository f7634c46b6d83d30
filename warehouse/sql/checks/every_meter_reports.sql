-- One row: a meter without a usable energy or power reading in the last 3 poll intervals of the
-- window. latest_at: its latest in the hour before, null: none.
create or replace macro every_meter_reports(from_at, to_at) as table (
with

points as (
    select * from metered_points(from_at, to_at)
),

latest as (
    select
        usable_readings.device,
        usable_readings.component,
        max(usable_readings.ts) as latest_at,
    from usable_readings
    semi join points using (device, component)
    where
        usable_readings.quantity in ('energy_imported_wh', 'active_power_w')
        and usable_readings.ts >= to_at::timestamptz - interval '1 hour'
        and usable_readings.ts < to_at::timestamptz
    group by usable_readings.device, usable_readings.component
),

final as (
    select
        meter_versions.meter,
        meter_versions.meter_role,
        points.device,
        points.component,
        points.interval_s,
        latest.latest_at,
    from points
    inner join meter_versions
        on points.device = meter_versions.device
        and points.component = meter_versions.component
        and meter_versions.valid_from_at < to_at::timestamptz
        and meter_versions.valid_to_at >= to_at::timestamptz
    left join latest
        on points.device = latest.device
        and points.component = latest.component
    where
        latest.latest_at is null
        or seconds_between(latest.latest_at, to_at::timestamptz) > 3 * points.interval_s
)

select * from final
);
