-- One row: the power of all meters of one role, at the end of the window and over it.
-- latest_mw: sum of the latest power readings, MW, of meters that reported within 3 poll intervals
-- before to_at; meters_reporting: how many did. average_mw: energy over the window's hours, MW,
-- null where a meter's energy is not complete; coverage_ratio: mean of the meters'. Meters of one
-- role are never in series, so a row is a sum; the roles are not to be added to each other.
create or replace macro power_by_role(from_at, to_at) as table (
with

points as (
    select * from metered_points(from_at, to_at)
),

meter_energy as (
    select * from energy(from_at, to_at)
),

latest as (
    select
        usable_readings.device,
        usable_readings.component,
        arg_max(usable_readings.value, usable_readings.ts) as power_w,
        max(usable_readings.ts) as read_at,
    from usable_readings
    inner join points using (device, component)
    where
        usable_readings.quantity = 'active_power_w'
        and usable_readings.ts >= to_at::timestamptz - interval '1 hour'
        and usable_readings.ts <= to_at::timestamptz
        and seconds_between(usable_readings.ts, to_at::timestamptz) <= 3 * points.interval_s
    group by usable_readings.device, usable_readings.component
),

final as (
    select
        meter_energy.meter_role,
        count(*) as meters,
        count(latest.power_w) as meters_reporting,
        sum(latest.power_w) / 1e6 as latest_mw,
        if(
            bool_and(meter_energy.is_complete),
            sum(
                meter_energy.energy_wh * 3600 / 1e6
                / seconds_between(meter_energy.period_start_at, meter_energy.period_end_at)
            ),
            null
        ) as average_mw,
        avg(meter_energy.coverage_ratio) as coverage_ratio,
        min(latest.read_at) as oldest_reading_at,
    from meter_energy
    left join latest using (device, component)
    group by meter_energy.meter_role
)

select * from final
);
