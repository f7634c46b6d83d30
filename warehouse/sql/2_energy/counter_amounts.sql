-- One row: how far a register other than a meter's energy went in a period: water, heat, energy of
-- GPUs; one row a device and component that was read in or around it.
-- amount: sum of the rises from reading to reading, in the quantity's unit; an edge between two
-- readings cuts the rise in proportion to time; null where nothing was measured. A fall is not
-- measured: the register wrapped or was reset, and how far it went is not known. measured_ratio:
-- share of the period that lies between readings that did not fall; coverage_ratio: the same,
-- between good readings at most 3 poll intervals apart. falls: how many. Readings are looked for
-- up to an hour outside the window. quantity, device_roles: which; components: a pattern.
create or replace macro counter_amounts(
    from_at, to_at, quantity, device_roles, grain := 'window', components := '%'
) as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

devices_then as (
    select
        device_versions.device,
        max(device_versions.interval_s) as interval_s,
    from device_versions
    where
        is_among(device_versions.device_role, device_roles)
        and device_versions.valid_from_at < to_at::timestamptz
        and device_versions.valid_to_at > from_at::timestamptz
    group by device_versions.device
),

readings_near as (
    select
        usable_readings.device,
        usable_readings.component,
        usable_readings.value,
        usable_readings.quality,
        usable_readings.ts,
        devices_then.interval_s,
        lag(usable_readings.value) over in_time as previous_value,
        lag(usable_readings.quality) over in_time as previous_quality,
        lag(usable_readings.ts) over in_time as previous_at,
    from usable_readings
    inner join devices_then using (device)
    where
        usable_readings.quantity = quantity
        and usable_readings.component like components
        and usable_readings.ts >= from_at::timestamptz - interval '1 hour'
        and usable_readings.ts <= to_at::timestamptz + interval '1 hour'
    window in_time as (
        partition by usable_readings.device, usable_readings.component
        order by usable_readings.ts
    )
),

pieces as (
    select
        periods.period_start_at,
        periods.period_end_at,
        readings_near.device,
        readings_near.component,
        readings_near.value - readings_near.previous_value as rise,
        seconds_between(readings_near.previous_at, readings_near.ts) as step_s,
        seconds_between(
            greatest(readings_near.previous_at, periods.period_start_at),
            least(readings_near.ts, periods.period_end_at)
        ) as piece_s,
        greatest(readings_near.quality, readings_near.previous_quality) = 0
        and step_s <= 3 * readings_near.interval_s as is_observed,
    from readings_near
    inner join periods
        on readings_near.previous_at < periods.period_end_at
        and readings_near.ts > periods.period_start_at
    where readings_near.ts > readings_near.previous_at
),

final as (
    select
        pieces.device,
        pieces.component,
        sum(pieces.rise * pieces.piece_s / pieces.step_s) filter (pieces.rise >= 0) as amount,
        coalesce(sum(pieces.piece_s) filter (pieces.rise >= 0), 0)
        / seconds_between(pieces.period_start_at, pieces.period_end_at) as measured_ratio,
        coalesce(sum(pieces.piece_s) filter (pieces.rise >= 0 and pieces.is_observed), 0)
        / seconds_between(pieces.period_start_at, pieces.period_end_at) as coverage_ratio,
        count(*) filter (pieces.rise < 0) as falls,
        pieces.period_start_at,
        pieces.period_end_at,
    from pieces
    group by
        pieces.device, pieces.component, pieces.period_start_at, pieces.period_end_at
)

select * from final
);
