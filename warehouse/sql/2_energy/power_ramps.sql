-- One row: how fast power changed in a place in a period.
-- ramp_mw_per_s: the fastest change between two successive readings of the power of one meter, at
-- most 3 poll intervals apart, up or down, MW/s; of the site the utility's meters, of a smaller
-- place those of the roles that make up IT energy; ramp_meter: which; ramp_at: the later reading.
-- A change within a poll interval looks slower than it was. place: see place_of.
create or replace macro power_ramps(from_at, to_at, grain := 'window', scope := 'site') as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

meters_then as (
    select
        meter_versions.meter,
        meter_versions.device,
        meter_versions.component,
        place_of(
            scope, device_versions.hall, device_versions.row, device_versions.rack
        ) as place,
        device_versions.interval_s,
        greatest(meter_versions.valid_from_at, device_versions.valid_from_at) as valid_from_at,
        least(meter_versions.valid_to_at, device_versions.valid_to_at) as valid_to_at,
    from meter_versions
    inner join device_versions
        on meter_versions.device = device_versions.device
        and meter_versions.valid_from_at < device_versions.valid_to_at
        and meter_versions.valid_to_at > device_versions.valid_from_at
    where
        place is not null
        and if(
            scope = 'site',
            meter_versions.meter_role = 'utility',
            meter_versions.meter_role in (
                select boundary_versions.meter_role
                from boundary_versions
                where boundary_versions.total = 'e_it'
            )
        )
),

steps as (
    select
        meters_then.place,
        meters_then.meter,
        meters_then.interval_s,
        usable_readings.ts as read_at,
        seconds_between(lag(usable_readings.ts) over in_time, usable_readings.ts) as step_s,
        usable_readings.value - lag(usable_readings.value) over in_time as change_w,
    from usable_readings
    inner join meters_then
        on usable_readings.device = meters_then.device
        and usable_readings.component = meters_then.component
        and usable_readings.ts >= meters_then.valid_from_at
        and usable_readings.ts < meters_then.valid_to_at
    where
        usable_readings.quantity = 'active_power_w'
        and usable_readings.ts >= from_at::timestamptz
        and usable_readings.ts < to_at::timestamptz
    window in_time as (
        partition by meters_then.place, meters_then.meter
        order by usable_readings.ts
    )
),

ramps as (
    select
        steps.*,
        abs(steps.change_w) / steps.step_s / 1e6 as mw_per_s,
    from steps
    where
        steps.step_s > 0
        and steps.step_s <= 3 * steps.interval_s
),

final as (
    select
        ramps.place,
        max(ramps.mw_per_s) as ramp_mw_per_s,
        arg_max(ramps.meter, ramps.mw_per_s) as ramp_meter,
        arg_max(ramps.read_at, ramps.mw_per_s) as ramp_at,
        periods.period_start_at,
        periods.period_end_at,
    from ramps
    inner join periods
        on ramps.read_at >= periods.period_start_at
        and ramps.read_at < periods.period_end_at
    group by ramps.place, periods.period_start_at, periods.period_end_at
)

select * from final
);
