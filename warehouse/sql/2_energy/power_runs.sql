-- One row: a run of the power readings of some components in and around the window: one reading,
-- or a still cell, all of it of one power, or what a roll-up holds of several; a run of several is
-- good and without a gap. components: a list of {device, component, cell_us, slot_us}, see
-- metered_points; in any order.
-- integral_wh: from first_at to last_at, on the lines between readings. sampling_error_wh: half of
-- each change of power times its seconds. steps: lines in it, of a still cell at least 10.
-- worst_quality: 0, or 3 (substituted).
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

edges_inside as (
    select * from meter_edges(from_at, to_at, grain)
),

readings as materialized (
    select
        meter_readings.number,
        meter_readings.value as power_w,
        meter_readings.quality,
        meter_readings.ts as read_at,
        epoch_us(meter_readings.ts) // meter_readings.cell_us as cell,
        (epoch_us(meter_readings.ts) % meter_readings.cell_us) // meter_readings.slot_us as slot,
    from meter_readings(
        'active_power_w',
        (select list(sources) from sources),
        (select asked.points from asked)
    ) as meter_readings
),

scanned_cells as (
    select
        readings.number,
        readings.cell,
        min(readings.power_w) as lowest_w,
        max(readings.power_w) as highest_w,
        max(readings.quality) as worst_quality,
        bit_or(1::bigint << readings.slot::integer) as slots_hit,
        min(readings.slot) as first_slot,
        max(readings.slot) as last_slot,
        min(readings.read_at) as first_at,
        max(readings.read_at) as last_at,
    from readings
    group by readings.number, readings.cell
),

needed_cells as materialized (
    select
        scanned_cells.*,
        sources.is_kept,
        sources.start_at,
        scanned_cells.lowest_w = scanned_cells.highest_w
        and scanned_cells.worst_quality = 0
        -- every slot between is hit, so there is no gap, and it is more than 10 readings
        and bit_count(scanned_cells.slots_hit) > greatest(
            scanned_cells.last_slot - scanned_cells.first_slot, 10
        ) as is_constant,
    from scanned_cells
    inner join sources
        on quarter_of(scanned_cells.first_at) = sources.start_at
        and sources.source = 'readings'
),

cut_cells as (
    select distinct needed_cells.number, needed_cells.cell
    from needed_cells
    inner join edges_inside
        on needed_cells.start_at = edges_inside.quarter_at
        and needed_cells.first_at < edges_inside.edge_at
        and needed_cells.last_at > edges_inside.edge_at
),

still_cells as (
    select needed_cells.*
    from needed_cells
    anti join cut_cells using (number, cell)
    where needed_cells.is_constant
),

single_readings as (
    select
        readings.number,
        readings.read_at,
        min(readings.power_w) as power_w,
        max(readings.quality) as worst_quality,
    from readings
    semi join needed_cells using (number, cell)
    anti join still_cells using (number, cell)
    group by readings.number, readings.read_at
),

stored as (
    select stored_runs.*
    from stored_runs(
        'active_power_w',
        (select list(sources) from sources),
        (select asked.points from asked)
    ) as stored_runs
    anti join needed_cells
        on stored_runs.number = needed_cells.number
        and stored_runs.start_at = needed_cells.start_at
        and needed_cells.is_kept
),

runs as (
    select
        single_readings.number,
        single_readings.power_w as first_w,
        single_readings.power_w as last_w,
        single_readings.power_w as lowest_w,
        single_readings.power_w as highest_w,
        0 as integral_wh,
        0 as sampling_error_wh,
        0 as steps,
        single_readings.worst_quality,
        single_readings.read_at as first_at,
        single_readings.read_at as last_at,
    from single_readings
    union all
    select
        still_cells.number,
        still_cells.lowest_w,
        still_cells.lowest_w,
        still_cells.lowest_w,
        still_cells.lowest_w,
        still_cells.lowest_w
        * seconds_between(still_cells.first_at, still_cells.last_at) / 3600,
        0,
        bit_count(still_cells.slots_hit) - 1,
        0,
        still_cells.first_at,
        still_cells.last_at,
    from still_cells
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
