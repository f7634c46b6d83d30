-- One row: a run of an energy register's readings in and around the window [from_at, to_at).
-- A run is a clean cell, of which only the ends matter, or else a single reading. A cell, a
-- quarter of an hour or less, is clean when the register rose plausibly from nowhere below where
-- it had been, with no gap, no doubtful reading and no edge of a period inside. So a day of a 10 s
-- meter is 96 rows instead of 8,640, and its energy is the same. first_wh, last_wh: the register
-- at first_at and last_at. worst_quality: 0, or 3 (substituted). Reads an hour before and after
-- the window, so that its edges lie between readings. A cell has no gap when every slot of 1.5
-- intervals between its first and last reading is hit: then readings are less than 3 intervals
-- apart.
create or replace macro register_runs(from_at, to_at, grain := 'window', roles := 'all') as table (
with

points as (
    select *
    from metered_points(from_at, to_at, roles)
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

edges_inside as (
    select edges.edge_at
    from edges
    where edges.edge_at between from_at::timestamptz and to_at::timestamptz
),

readings as not materialized (
    select
        usable_readings.device,
        usable_readings.component,
        usable_readings.value,
        usable_readings.quality,
        usable_readings.ts,
        points.point,
        epoch_us(usable_readings.ts) // points.cell_us as cell,
        -- cells end at the window's ends, too
        (usable_readings.ts >= from_at::timestamptz)::tinyint
        + (usable_readings.ts >= to_at::timestamptz)::tinyint as side,
        (epoch_us(usable_readings.ts) % points.cell_us) // points.slot_us as slot,
    from usable_readings
    inner join points using (device, component)
    where
        usable_readings.quantity = 'energy_imported_wh'
        and usable_readings.ts >= from_at::timestamptz - interval '1 hour'
        and usable_readings.ts <= to_at::timestamptz + interval '1 hour'
),

cells as materialized (
    select
        readings.point,
        readings.cell,
        readings.side,
        arg_min(readings.value, readings.ts) as first_wh,
        arg_max(readings.value, readings.ts) as last_wh,
        min(readings.value) as lowest_wh,
        max(readings.value) as highest_wh,
        max(readings.quality) as worst_quality,
        bit_or(1::bigint << readings.slot::integer) as slots_hit,
        min(readings.ts) as first_at,
        max(readings.ts) as last_at,
    from readings
    group by readings.point, readings.cell, readings.side
),

measured_cells as (
    select
        cells.*,
        points.cell_us,
        -- a register that has fallen may come back up: then every reading is looked at
        cells.first_wh >= coalesce(max(cells.last_wh) over earlier, cells.first_wh)
        and cells.worst_quality = 0
        and cells.first_wh = cells.lowest_wh
        and cells.last_wh = cells.highest_wh
        and cells.last_wh - cells.first_wh <= believable_step_wh(
            points.power_limit_w,
            seconds_between(cells.first_at, cells.last_at),
            points.resolution_wh,
            cells.last_wh
        )
        and bit_count(cells.slots_hit) > (
            epoch_us(cells.last_at) % points.cell_us // points.slot_us
            - epoch_us(cells.first_at) % points.cell_us // points.slot_us
        ) as is_smooth,
    from cells
    inner join points using (point)
    window earlier as (
        partition by cells.point
        order by cells.first_at
        rows between unbounded preceding and 1 preceding
    )
),

cut_cells as (
    select measured_cells.point, measured_cells.cell, measured_cells.side
    from measured_cells
    semi join edges_inside
        on measured_cells.cell = epoch_us(edges_inside.edge_at) // measured_cells.cell_us
        and measured_cells.first_at < edges_inside.edge_at
        and measured_cells.last_at > edges_inside.edge_at
),

unclean_cells as (
    select measured_cells.point, measured_cells.cell, measured_cells.side
    from measured_cells
    where not measured_cells.is_smooth
    union
    select * from cut_cells
),

clean_cells as (
    select measured_cells.*
    from measured_cells
    anti join unclean_cells using (point, cell, side)
),

single_readings as (
    select
        readings.point,
        readings.ts as read_at,
        min(readings.value) as value_wh,
        max(readings.quality) as worst_quality,
    from readings
    semi join unclean_cells using (point, cell, side)
    group by readings.point, readings.ts
),

runs as (
    select
        clean_cells.point,
        clean_cells.first_wh,
        clean_cells.last_wh,
        clean_cells.worst_quality,
        clean_cells.first_at,
        clean_cells.last_at,
    from clean_cells
    union all
    select
        single_readings.point,
        single_readings.value_wh,
        single_readings.value_wh,
        single_readings.worst_quality,
        single_readings.read_at,
        single_readings.read_at,
    from single_readings
),

final as (
    select
        points.*,
        runs.* exclude (point),
    from runs
    inner join points using (point)
)

select * from final
);
