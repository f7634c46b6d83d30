-- One row: a usable reading of a quantity of some components, in the quarters of an hour in which
-- the window's two ends lie, where they cut them, and from holes.start_at up to holes.end_at; one
-- in both comes twice. components: a list of {device, component}. Three scans, since of a long
-- window only its ends and what is not rolled up are to be read.
create or replace macro meter_readings(
    quantity_asked, from_at, to_at, holes, components
) as table (
with

asked as materialized (
    select unnest(components) as point
),

final as (
    select usable_readings.*
    from usable_readings
    semi join asked
        on usable_readings.device = asked.point.device
        and usable_readings.component = asked.point.component
    where
        usable_readings.quantity = quantity_asked
        and usable_readings.ts >= (holes).start_at
        and usable_readings.ts < (holes).end_at
    union all
    select usable_readings.*
    from usable_readings
    semi join asked
        on usable_readings.device = asked.point.device
        and usable_readings.component = asked.point.component
    where
        usable_readings.quantity = quantity_asked
        and from_at::timestamptz <> quarter_of(from_at::timestamptz)
        and usable_readings.ts >= quarter_of(from_at::timestamptz)
        and usable_readings.ts < quarter_of(from_at::timestamptz) + interval '15 minutes'
    union all
    select usable_readings.*
    from usable_readings
    semi join asked
        on usable_readings.device = asked.point.device
        and usable_readings.component = asked.point.component
    where
        usable_readings.quantity = quantity_asked
        and to_at::timestamptz <> quarter_of(to_at::timestamptz)
        and usable_readings.ts >= quarter_of(to_at::timestamptz)
        and usable_readings.ts < quarter_of(to_at::timestamptz) + interval '15 minutes'
)

select * from final
);
