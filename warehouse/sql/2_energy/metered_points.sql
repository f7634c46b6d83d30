-- One row: a device's component that is a meter in the window, with the facts its steps are judged
-- by: the latest that were in force in it.
-- point: its number in this window. interval_s: seconds between polls. power_limit_w: most that
-- can flow. modulus_wh, resolution_wh: where the register wraps, its step; resolution_wh is null
-- where there is no register. cell_us, slot_us: microseconds of the cells that register_runs
-- makes, and of their slots.
create or replace macro metered_points(from_at, to_at, roles := 'all') as table (
with

points as (
    select
        meter_versions.device,
        meter_versions.component,
        arg_max(meter_versions.power_limit_w, meter_versions.valid_from_at) as power_limit_w,
        arg_max(meter_versions.modulus_wh, meter_versions.valid_from_at) as modulus_wh,
        arg_max(meter_versions.resolution_wh, meter_versions.valid_from_at) as resolution_wh,
    from meter_versions
    where
        meter_versions.valid_from_at < to_at::timestamptz
        and meter_versions.valid_to_at > from_at::timestamptz
        and is_among(meter_versions.meter_role, roles)
    group by all
),

polled as (
    select
        device_versions.device,
        arg_max(device_versions.interval_s, device_versions.valid_from_at) as interval_s,
    from device_versions
    where
        device_versions.valid_from_at < to_at::timestamptz
        and device_versions.valid_to_at > from_at::timestamptz
    group by all
),

final as (
    select
        row_number() over (order by points.device, points.component)::integer as point,
        points.device,
        points.component,
        polled.interval_s,
        points.power_limit_w,
        points.modulus_wh,
        points.resolution_wh,
        -- 60 slots fit the bits of a bigint; each length divides a quarter of an hour
        case
            when polled.interval_s >= 10 then 900000000
            when polled.interval_s >= 3.4 then 300000000
            when polled.interval_s >= 0.67 then 60000000
            else 6000000
        end as cell_us,
        (polled.interval_s * 1500000)::bigint as slot_us,
    from points
    inner join polled using (device)
)

select * from final
);
