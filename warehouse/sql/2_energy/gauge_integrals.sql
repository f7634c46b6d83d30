-- One row: a gauge over a period: the line between its readings at most 3 poll intervals apart,
-- integrated; one row a device and component that was read in or around it.
-- mean: by time, in the quantity's unit; integral_h: mean times the hours measured (W give Wh).
-- coverage_ratio: share of the period that lies between such readings. Readings are looked for up
-- to an hour outside the window. quantity, device_roles: which; components: a pattern.
create or replace macro gauge_integrals(
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
        usable_readings.ts,
        devices_then.interval_s,
        lag(usable_readings.value) over in_time as previous_value,
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
        seconds_between(readings_near.previous_at, readings_near.ts) as step_s,
        greatest(seconds_between(readings_near.previous_at, periods.period_start_at), 0)
            as from_s,
        least(seconds_between(readings_near.previous_at, periods.period_end_at), step_s)
            as to_s,
        to_s - from_s as piece_s,
        -- the line's value halfway through the piece
        readings_near.previous_value
        + (readings_near.value - readings_near.previous_value) * (from_s + to_s) / 2 / step_s
            as value,
    from readings_near
    inner join periods
        on readings_near.previous_at < periods.period_end_at
        and readings_near.ts > periods.period_start_at
    where
        readings_near.ts > readings_near.previous_at
        and seconds_between(readings_near.previous_at, readings_near.ts)
        <= 3 * readings_near.interval_s
),

final as (
    select
        pieces.device,
        pieces.component,
        sum(pieces.value * pieces.piece_s) / sum(pieces.piece_s) as mean,
        sum(pieces.value * pieces.piece_s) / 3600 as integral_h,
        sum(pieces.piece_s)
        / seconds_between(pieces.period_start_at, pieces.period_end_at) as coverage_ratio,
        pieces.period_start_at,
        pieces.period_end_at,
    from pieces
    group by
        pieces.device, pieces.component, pieces.period_start_at, pieces.period_end_at
)

select * from final
);
