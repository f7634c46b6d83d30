-- One row: the least and the most power, in W, that a component itself reported around the window.
-- Only for windows of up to an hour: over longer ones the edges weigh too little to read for.
create or replace macro power_ranges(from_at, to_at, roles := 'all') as table (
with

points as (
    select * from metered_points(from_at, to_at, roles)
),

final as (
    select
        usable_readings.device,
        usable_readings.component,
        greatest(min(usable_readings.value), 0) as lowest_w,
        max(usable_readings.value) as highest_w,
    from usable_readings
    semi join points using (device, component)
    where
        usable_readings.quantity = 'active_power_w'
        and usable_readings.ts >= from_at::timestamptz - interval '1 minute'
        and usable_readings.ts <= to_at::timestamptz + interval '1 minute'
        and to_at::timestamptz - from_at::timestamptz <= interval '1 hour'
    group by usable_readings.device, usable_readings.component
)

select * from final
);
