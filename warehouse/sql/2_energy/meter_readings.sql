-- One row: a usable reading of a quantity of some components, from where the sources say
-- `readings`, and, may be, from between. sources: a list of energy_sources. components: a list of {device,
-- component}. The window's head and tail are scanned apart, so that a long window that is rolled up
-- reads no more than these.
create or replace macro meter_readings(quantity_asked, sources, components) as table (
with

asked as materialized (
    select unnest(components) as point
),

stretches as (
    select unnest(sources, recursive := true)
),

holes as materialized (
    select stretches.*
    from stretches
    where stretches.source = 'readings'
),

final as (
    select usable_readings.*
    from usable_readings
    semi join asked
        on usable_readings.device = asked.point.device
        and usable_readings.component = asked.point.component
    where
        usable_readings.quantity = quantity_asked
        and usable_readings.ts >= (
            select coalesce(min(holes.start_at), 'infinity')
            from holes
            where holes.part = 'head'
        )
        and usable_readings.ts < (
            select coalesce(max(holes.end_at), '-infinity')
            from holes
            where holes.part = 'head'
        )
    union all
    select usable_readings.*
    from usable_readings
    semi join asked
        on usable_readings.device = asked.point.device
        and usable_readings.component = asked.point.component
    where
        usable_readings.quantity = quantity_asked
        and usable_readings.ts >= (
            select coalesce(min(holes.start_at), 'infinity')
            from holes
            where holes.part = 'tail'
        )
        and usable_readings.ts < (
            select coalesce(max(holes.end_at), '-infinity')
            from holes
            where holes.part = 'tail'
        )
    union all
    select usable_readings.*
    from usable_readings
    semi join asked
        on usable_readings.device = asked.point.device
        and usable_readings.component = asked.point.component
    where
        usable_readings.quantity = quantity_asked
        and usable_readings.ts >= (
            select coalesce(min(holes.start_at), 'infinity')
            from holes
            where holes.part in ('before', 'after')
        )
        and usable_readings.ts < (
            select coalesce(max(holes.end_at), '-infinity')
            from holes
            where holes.part in ('before', 'after')
        )
)

select * from final
);
