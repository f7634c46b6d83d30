-- One row: a run of the roll-ups of some components, for the sources that say `month`, `day` or
-- `quarter`, or whose readings may be gone (is_kept). components and sources: as for
-- meter_readings. Quarters before the first month or day and after are scanned
-- apart, so that a year does not read all of its quarters.
create or replace macro stored_runs(quantity_asked, sources, components) as table (
with

asked as materialized (
    select
        generate_subscripts(components, 1) as number,
        unnest(components, recursive := true),
),

stretches as materialized (
    select unnest(sources, recursive := true)
),

quarters as materialized (
    select stretches.*
    from stretches
    where stretches.source = 'quarter' or stretches.is_kept
),

days as (
    select
        asked.number,
        day_runs.* exclude (day_at, quantity, device, component),
        stretches.is_kept,
        day_runs.day_at as start_at,
    from day_runs
    inner join asked
        on day_runs.device = asked.device
        and day_runs.component = asked.component
    inner join stretches
        on day_runs.day_at = stretches.start_at
        and stretches.source = 'day'
    where
        day_runs.quantity = quantity_asked
        and day_runs.day_at >= (
            select coalesce(min(stretches.start_at), 'infinity')
            from stretches
            where stretches.source = 'day'
        )
        and day_runs.day_at <= (
            select coalesce(max(stretches.start_at), '-infinity')
            from stretches
            where stretches.source = 'day'
        )
),

months as (
    select
        asked.number,
        month_runs.* exclude (month_at, quantity, device, component),
        stretches.is_kept,
        month_runs.month_at as start_at,
    from month_runs
    inner join asked
        on month_runs.device = asked.device
        and month_runs.component = asked.component
    inner join stretches
        on month_runs.month_at = stretches.start_at
        and stretches.source = 'month'
    where
        month_runs.quantity = quantity_asked
        and month_runs.month_at >= (
            select coalesce(min(stretches.start_at), 'infinity')
            from stretches
            where stretches.source = 'month'
        )
        and month_runs.month_at <= (
            select coalesce(max(stretches.start_at), '-infinity')
            from stretches
            where stretches.source = 'month'
        )
),

quarters_before as (
    select
        asked.number,
        quarter_runs.* exclude (quarter_at, quantity, device, component),
        quarters.is_kept,
        quarter_runs.quarter_at as start_at,
    from quarter_runs
    inner join asked
        on quarter_runs.device = asked.device
        and quarter_runs.component = asked.component
    inner join quarters
        on quarter_runs.quarter_at = quarters.start_at
        and quarters.part in ('head', 'before')
    where
        quarter_runs.quantity = quantity_asked
        and quarter_runs.quarter_at >= (
            select coalesce(min(quarters.start_at), 'infinity')
            from quarters
            where quarters.part in ('head', 'before')
        )
        and quarter_runs.quarter_at <= (
            select coalesce(max(quarters.start_at), '-infinity')
            from quarters
            where quarters.part in ('head', 'before')
        )
),

quarters_after as (
    select
        asked.number,
        quarter_runs.* exclude (quarter_at, quantity, device, component),
        quarters.is_kept,
        quarter_runs.quarter_at as start_at,
    from quarter_runs
    inner join asked
        on quarter_runs.device = asked.device
        and quarter_runs.component = asked.component
    inner join quarters
        on quarter_runs.quarter_at = quarters.start_at
        and quarters.part in ('after', 'tail')
    where
        quarter_runs.quantity = quantity_asked
        and quarter_runs.quarter_at >= (
            select coalesce(min(quarters.start_at), 'infinity')
            from quarters
            where quarters.part in ('after', 'tail')
        )
        and quarter_runs.quarter_at <= (
            select coalesce(max(quarters.start_at), '-infinity')
            from quarters
            where quarters.part in ('after', 'tail')
        )
),

final as (
    select * from months
    union all
    select * from days
    union all
    select * from quarters_before
    union all
    select * from quarters_after
)

select * from final
);
