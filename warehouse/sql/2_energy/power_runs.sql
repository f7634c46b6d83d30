-- One row: a run of the power readings of some components in and around the window: one reading, or
-- what a roll-up holds of several, good and without a gap. components: as
-- for meter_readings, in any order.
-- integral_wh: from first_at to last_at, on the lines between readings. sampling_error_wh: half of
-- each change of power times its seconds. steps: lines in it. worst_quality: 0, or 3 (substituted).
create or replace macro power_runs(
    from_at, to_at, grain, basis, components
) as table (
with

sources as materialized (
    select * from energy_sources(from_at, to_at, grain, basis)
),

-- looked up by number, so worked out once: a list made without an order has another one each time
asked as materialized (
    select components as points
),

readings as (
    select
        meter_readings.number,
        meter_readings.ts as read_at,
        min(meter_readings.value) as power_w,
        max(meter_readings.quality) as worst_quality,
    from meter_readings(
        'active_power_w',
        (select list(sources) from sources),
        (select asked.points from asked)
    ) as meter_readings
    group by meter_readings.number, meter_readings.ts
),

needed_readings as materialized (
    select readings.*
    from readings
    semi join sources
        on quarter_of(readings.read_at) = sources.start_at
        and sources.source = 'readings'
),

kept_quarters as (
    select distinct
        needed_readings.number,
        sources.start_at,
    from needed_readings
    inner join sources
        on quarter_of(needed_readings.read_at) = sources.start_at
        and sources.is_kept
),

stored as (
    select stored_runs.*
    from stored_runs(
        'active_power_w',
        (select list(sources) from sources),
        (select asked.points from asked)
    ) as stored_runs
    anti join kept_quarters using (number, start_at)
),

runs as (
    select
        needed_readings.number,
        needed_readings.power_w as first_w,
        needed_readings.power_w as last_w,
        needed_readings.power_w as lowest_w,
        needed_readings.power_w as highest_w,
        0 as integral_wh,
        0 as sampling_error_wh,
        0 as steps,
        needed_readings.worst_quality,
        needed_readings.read_at as first_at,
        needed_readings.read_at as last_at,
    from needed_readings
    union all
    select
        stored.number,
        stored.first_value,
        stored.last_value,
        coalesce(stored.lowest_w, stored.first_value),
        coalesce(stored.highest_w, stored.first_value),
        coalesce(stored.integral_wh, 0),
        coalesce(stored.sampling_error_wh, 0),
        coalesce(stored.steps, 0),
        stored.quality,
        stored.first_at,
        stored.last_at,
    from stored
),

final as (
    select
        asked.points[runs.number].device as device,
        asked.points[runs.number].component as component,
        runs.* exclude (number),
    from runs
    cross join asked
)

select * from final
);
