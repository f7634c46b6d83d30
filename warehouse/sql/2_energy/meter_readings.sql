-- One row: a usable reading of a quantity of some components, from where the sources say
-- `readings`, and, may be, from between; none before first_at or after last_at. sources: a list of
-- energy_sources. components: a list of {device, component}, and what else is to stand beside each
-- reading; number: the place in it of the one that the reading is of. The window's head and tail
-- are scanned apart, so that a long window that is rolled up reads no more than these.
create or replace macro meter_readings(
    quantity_asked,
    sources,
    components,
    first_at := '-infinity'::timestamptz,
    last_at := 'infinity'::timestamptz
) as table (
with

asked as materialized (
    select
        generate_subscripts(components, 1) as number,
        unnest(components, recursive := true),
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
    select
        asked.* exclude (device, component),
        usable_readings.value,
        usable_readings.quality,
        usable_readings.ts,
    from usable_readings
    inner join asked
        on usable_readings.device = asked.device
        and usable_readings.component = asked.component
    where
        usable_readings.quantity = quantity_asked
        and usable_readings.ts >= (
            select coalesce(min(greatest(holes.start_at, first_at)), 'infinity')
            from holes
            where holes.part = 'head'
        )
        and usable_readings.ts <= (
            select coalesce(
                max(least(holes.end_at - interval '1 microsecond', last_at)), '-infinity'
            )
            from holes
            where holes.part = 'head'
        )
    union all
    select
        asked.* exclude (device, component),
        usable_readings.value,
        usable_readings.quality,
        usable_readings.ts,
    from usable_readings
    inner join asked
        on usable_readings.device = asked.device
        and usable_readings.component = asked.component
    where
        usable_readings.quantity = quantity_asked
        and usable_readings.ts >= (
            select coalesce(min(greatest(holes.start_at, first_at)), 'infinity')
            from holes
            where holes.part = 'tail'
        )
        and usable_readings.ts <= (
            select coalesce(
                max(least(holes.end_at - interval '1 microsecond', last_at)), '-infinity'
            )
            from holes
            where holes.part = 'tail'
        )
    union all
    select
        asked.* exclude (device, component),
        usable_readings.value,
        usable_readings.quality,
        usable_readings.ts,
    from usable_readings
    inner join asked
        on usable_readings.device = asked.device
        and usable_readings.component = asked.component
    where
        usable_readings.quantity = quantity_asked
        and usable_readings.ts >= (
            select coalesce(min(greatest(holes.start_at, first_at)), 'infinity')
            from holes
            where holes.part in ('before', 'after')
        )
        and usable_readings.ts <= (
            select coalesce(
                max(least(holes.end_at - interval '1 microsecond', last_at)), '-infinity'
            )
            from holes
            where holes.part in ('before', 'after')
        )
)

select * from final
);
