-- One row: from when to when the lake holds anything, readings or roll-ups.
-- first_at, last_at: nulls where it holds nothing. covered_from_at, covered_to_at: the part of it
-- that all meters cover which were read at its beginning, and at its end: from the latest of their
-- first readings to the earliest of their latest. A meter was read at an end if it was within 3 of
-- its poll intervals; one that was not is dead, and must not shorten the question.
create or replace view data_span as (
with

ends as (
    select
        least(
            (select min(all_readings.ts) from all_readings),
            (select min(quarters_with_readings.quarter_at) from quarters_with_readings)
        ) as first_at,
        greatest(
            (select max(all_readings.ts) from all_readings),
            (
                select max(quarters_with_readings.quarter_at) + interval '15 minutes'
                from quarters_with_readings
                where not exists (select 1 from all_readings)
            )
        ) as last_at,
),

meter_readings_near as (
    select
        current_meters.meter,
        any_value(current_devices.interval_s) as interval_s,
        min(usable_readings.ts) as first_at,
        max(usable_readings.ts) as last_at,
    from usable_readings
    inner join current_meters using (device, component)
    inner join current_devices using (device)
    where
        usable_readings.quantity in ('energy_imported_wh', 'active_power_w')
        and (
            usable_readings.ts <= (select ends.first_at + interval '1 hour' from ends)
            or usable_readings.ts >= (select ends.last_at - interval '1 hour' from ends)
        )
    group by current_meters.meter, usable_readings.quantity
),

covered as (
    select
        max(near.first_at) filter (
            seconds_between(ends.first_at, near.first_at) <= 3 * near.interval_s
        ) as from_at,
        min(near.last_at) filter (
            seconds_between(near.last_at, ends.last_at) <= 3 * near.interval_s
        ) as to_at,
    from meter_readings_near as near
    cross join ends
),

final as (
    select
        ends.first_at,
        ends.last_at,
        coalesce(covered.from_at, ends.first_at) as covered_from_at,
        coalesce(covered.to_at, ends.last_at) as covered_to_at,
    from ends
    cross join covered
)

select * from final
);
