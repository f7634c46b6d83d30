-- One row: a run of the power readings of some components in and around the window: one reading, or
-- what a roll-up holds of several, good and without a gap. components: a list of {device,
-- component}.
-- integral_wh: from first_at to last_at, on the lines between readings. sampling_error_wh: half of
-- each change of power times its seconds. steps: lines in it. worst_quality: 0, or 3 (substituted).
create or replace macro power_runs(
    from_at, to_at, grain, basis, components
) as table (
with

sources as materialized (
    select * from energy_sources(from_at, to_at, grain, basis)
),

readings as (
    select
        meter_readings.device,
        meter_readings.component,
        meter_readings.ts as read_at,
        min(meter_readings.value) as power_w,
        max(meter_readings.quality) as worst_quality,
    from meter_readings(
        'active_power_w',
        (select list(sources) from sources),
        components
    ) as meter_readings
    group by meter_readings.device, meter_readings.component, meter_readings.ts
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
        needed_readings.device,
        needed_readings.component,
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
        components
    ) as stored_runs
    anti join kept_quarters using (device, component, start_at)
),

final as (
    select
        needed_readings.device,
        needed_readings.component,
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
        stored.device,
        stored.component,
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
)

select * from final
);
