-- One row: an energy register's reading that the window [from_at, to_at) needs, thinned: of a clean
-- cell (register rising plausibly, no gap, no edge of a period inside) only the first and the last.
-- A day of a 10 s meter is 192 rows instead of 8,640, and its energy and coverage are the same.
-- value: Wh on the register. is_whole: nothing is missing since the row before. Reads one hour
-- before and after the window, so that its edges lie between readings.
-- A cell has no gap when each slot of 1.5 intervals between its first and last reading is hit:
-- readings in neighbouring slots are then less than 3 intervals apart.
create or replace macro register_readings(from_at, to_at, grain := 'window') as table (
with

points as (
    select *
    from metered_points(from_at, to_at)
    where resolution_wh is not null
),

edges as (
    select buckets.period_start_at as edge_at from buckets(from_at, to_at, grain) as buckets
    union
    select to_at::timestamptz
    union
    select unnest([meter_versions.valid_from_at, meter_versions.valid_to_at])
    from meter_versions
),

readings as not materialized (
    select
        usable_readings.device,
        usable_readings.component,
        usable_readings.value,
        usable_readings.quality,
        usable_readings.ts,
        epoch_us(usable_readings.ts) // points.cell_us as cell,
        (epoch_us(usable_readings.ts) % points.cell_us) // points.slot_us as slot,
        points.cell_us,
        points.power_limit_w,
        points.resolution_wh,
    from usable_readings
    inner join points using (device, component)
    where
        usable_readings.quantity = 'energy_imported_wh'
        and usable_readings.ts >= from_at::timestamptz - interval '1 hour'
        and usable_readings.ts <= to_at::timestamptz + interval '1 hour'
),

cells as (
    select
        readings.device,
        readings.component,
        readings.cell,
        readings.cell_us,
        arg_min(readings.value, readings.ts) as first_value_wh,
        arg_max(readings.value, readings.ts) as last_value_wh,
        min(readings.value) as lowest_value_wh,
        max(readings.value) as highest_value_wh,
        max(readings.quality) as worst_quality,
        bit_or(1::bigint << readings.slot::integer) as slots_hit,
        max(readings.slot) - min(readings.slot) + 1 as slots_spanned,
        any_value(readings.power_limit_w) as power_limit_w,
        any_value(readings.resolution_wh) as resolution_wh,
        min(readings.ts) as first_at,
        max(readings.ts) as last_at,
    from readings
    group by readings.device, readings.component, readings.cell, readings.cell_us
),

edges_inside as (
    select edges.edge_at
    from edges
    where edges.edge_at between from_at::timestamptz and to_at::timestamptz
),

cut_cells as (
    select cells.*
    from cells
    semi join edges_inside
        on cells.cell = epoch_us(edges_inside.edge_at) // cells.cell_us
        and cells.first_at < edges_inside.edge_at
        and cells.last_at > edges_inside.edge_at
),

unclean_cells as (
    select cells.device, cells.component, cells.cell
    from cells
    where
        cells.worst_quality > 0
        or cells.first_value_wh > cells.lowest_value_wh
        or cells.last_value_wh < cells.highest_value_wh
        or cells.last_value_wh - cells.first_value_wh > believable_step_wh(
            cells.power_limit_w,
            epoch(cells.last_at - cells.first_at),
            cells.resolution_wh,
            cells.last_value_wh
        )
        or bit_count(cells.slots_hit) < cells.slots_spanned
    union
    select cut_cells.device, cut_cells.component, cut_cells.cell
    from cut_cells
),

clean_cells as (
    select cells.*
    from cells
    anti join unclean_cells using (device, component, cell)
),

final as (
    select device, component, first_value_wh as value_wh, 0 as quality, false as is_whole, first_at as read_at
    from clean_cells
    union all
    select device, component, last_value_wh, 0, true, last_at
    from clean_cells
    where last_at > first_at
    union all
    select device, component, min(value), max(quality), false, ts
    from readings
    semi join unclean_cells using (device, component, cell)
    group by device, component, ts
)

select * from final
);
