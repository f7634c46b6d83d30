-- One row: a run of an energy register's readings in and around the window [from_at, to_at).
-- A run is a clean cell, or several that follow each other plainly, of which only the ends matter,
-- or else a single reading. A cell, a quarter of an hour or less, is clean when it is smooth (see
-- is_smooth_cell), no edge of a period lies inside, and, if the register was seen above it before,
-- each of its readings can follow the one before (a register that has fallen may come back up
-- within a cell). So a day of a 10 s meter is 96 rows instead of 8,640, or one where it is rolled
-- up, and its energy is the same. first_wh, last_wh: the register at first_at and last_at.
-- moved_at: no later than this it came to last_wh; null: it did not move. set_bits: those set in
-- any reading, in resolutions. worst_quality: 0, or 3 (substituted). Reads the quarters of an hour
-- from an hour before to an hour after the window, so that its edges lie between readings. basis:
-- 'roll-ups', or 'readings' alone.
create or replace macro register_runs(
    from_at, to_at, grain := 'window', roles := 'all', basis := 'roll-ups'
) as table (
with

points as materialized (
    select
        metered_points.* exclude (point),
        row_number() over (order by metered_points.point) as point,
    from metered_points(from_at, to_at, roles) as metered_points
    where metered_points.resolution_wh is not null
),

sources as materialized (
    select * from energy_sources(from_at, to_at, grain, basis)
),

edges_inside as (
    select * from meter_edges(from_at, to_at, grain)
),

components as (
    select
        points.point,
        {
            'device': points.device,
            'component': points.component,
            'cell_us': points.cell_us,
            'slot_us': points.slot_us,
            'resolution_wh': points.resolution_wh
        } as component,
    from points
),

readings as (
    select
        meter_readings.number as point,
        meter_readings.value,
        meter_readings.quality,
        meter_readings.ts,
        epoch_us(meter_readings.ts) // meter_readings.cell_us * meter_readings.cell_us as cell,
        -- cells end at the window's ends, too
        (meter_readings.ts >= from_at::timestamptz)::tinyint
        + (meter_readings.ts >= to_at::timestamptz)::tinyint as side,
        (epoch_us(meter_readings.ts) % meter_readings.cell_us) // meter_readings.slot_us as slot,
        meter_readings.resolution_wh,
    from meter_readings(
        'energy_imported_wh',
        (select list(sources) from sources),
        (select list(components.component order by components.point) from components)
    ) as meter_readings
),

scanned_cells as (
    select
        readings.point,
        readings.cell,
        readings.side,
        arg_min(readings.value, readings.ts) as first_wh,
        arg_max(readings.value, readings.ts) as last_wh,
        min(readings.value) as lowest_wh,
        max(readings.value) as highest_wh,
        max(readings.quality) as worst_quality,
        bit_or(try_cast(round(readings.value / readings.resolution_wh) as bigint)) as set_bits,
        bit_or(1::bigint << readings.slot::integer) as slots_hit,
        min(readings.ts) as first_at,
        max(readings.ts) as last_at,
    from readings
    group by readings.point, readings.cell, readings.side
),

cells as materialized (
    select scanned_cells.*
    from scanned_cells
    semi join sources
        on quarter_of(scanned_cells.first_at) = sources.start_at
        and sources.source = 'readings'
),

-- smooth and rough: from readings; run, bold, reading and spare: from the roll-ups
candidates as materialized (
    select
        cells.point,
        cells.cell,
        cells.side,
        if(is_smooth_cell(cells, points), 'smooth', 'rough') as kind,
        cells.first_wh,
        cells.last_wh,
        cells.highest_wh,
        if(cells.last_wh > cells.first_wh, cells.first_at, null) as moved_at,
        cells.set_bits,
        cells.worst_quality,
        cells.first_at,
        cells.last_at,
        false as is_kept,
    from cells
    inner join points using (point)
    union all
    select
        stored_runs.number,
        epoch_us(stored_runs.cell_at),
        null,
        stored_runs.kind,
        stored_runs.first_value,
        stored_runs.last_value,
        stored_runs.last_value,
        stored_runs.moved_at,
        stored_runs.set_bits,
        stored_runs.quality,
        stored_runs.first_at,
        stored_runs.last_at,
        stored_runs.is_kept,
    from stored_runs(
        'energy_imported_wh',
        (select list(sources) from sources),
        (select list(components.component order by components.point) from components)
    ) as stored_runs
    -- what is kept of a quarter that an edge cuts stands in where its readings are gone
    anti join cells
        on stored_runs.is_kept
        and stored_runs.number = cells.point
        and stored_runs.start_at = quarter_of(cells.first_at)
),

ranked as (
    select
        candidates.*,
        candidates.first_wh < max(candidates.highest_wh) over (
            partition by candidates.point
            order by candidates.first_at
            rows between unbounded preceding and 1 preceding
        ) as is_below,
    from candidates
),

cut_cells as (
    select distinct candidates.point, candidates.cell, candidates.side
    from candidates
    inner join edges_inside
        on quarter_of(candidates.first_at) = edges_inside.quarter_at
        and candidates.first_at < edges_inside.edge_at
        and candidates.last_at > edges_inside.edge_at
    where not candidates.is_kept
),

doubtful_cells as (
    select ranked.*
    from ranked
    where ranked.kind = 'smooth' and ranked.is_below
),

looked_into as materialized (
    select ranked.*
    from ranked
    left join cut_cells using (point, cell, side)
    where
        ranked.kind = 'rough'
        or (ranked.kind = 'smooth' and (ranked.is_below or cut_cells.cell is not null))
),

looked_for as (
    select
        meter_readings.number as point,
        meter_readings.value,
        meter_readings.quality,
        meter_readings.ts,
        epoch_us(meter_readings.ts) // meter_readings.cell_us * meter_readings.cell_us as cell,
        -- cells end at the window's ends, too
        (meter_readings.ts >= from_at::timestamptz)::tinyint
        + (meter_readings.ts >= to_at::timestamptz)::tinyint as side,
        meter_readings.resolution_wh,
    from meter_readings(
        'energy_imported_wh',
        (select list(sources) from sources),
        (select list(components.component order by components.point) from components),
        (select coalesce(min(looked_into.first_at), 'infinity') from looked_into),
        (select coalesce(max(looked_into.last_at), '-infinity') from looked_into)
    ) as meter_readings
),

open_readings as materialized (
    select looked_for.*
    from looked_for
    semi join looked_into using (point, cell, side)
),

doubtful_steps as (
    select
        open_readings.point,
        open_readings.cell,
        open_readings.side,
        open_readings.ts as read_at,
        open_readings.value - lag(open_readings.value) over in_cell as rise_wh,
    from open_readings
    semi join doubtful_cells using (point, cell, side)
    window in_cell as (
        partition by open_readings.point, open_readings.cell, open_readings.side
        order by open_readings.ts, open_readings.value
    )
),

moves as (
    select
        doubtful_steps.*,
        seconds_between(
            lag(doubtful_steps.read_at) over (
                partition by doubtful_steps.point, doubtful_steps.cell, doubtful_steps.side
                order by doubtful_steps.read_at
            ),
            doubtful_steps.read_at
        ) as still_s,
    from doubtful_steps
    where doubtful_steps.rise_wh <> 0
),

largest_moves as (
    select
        moves.point,
        moves.cell,
        moves.side,
        max(abs(moves.rise_wh)) as rise_wh,
        max(moves.still_s) as still_s,
    from moves
    group by moves.point, moves.cell, moves.side
),

opened_cells as (
    select cut_cells.* from cut_cells
    union
    select ranked.point, ranked.cell, ranked.side
    from ranked
    where ranked.kind = 'rough' or (ranked.kind = 'bold' and ranked.is_below)
    union
    select largest_moves.point, largest_moves.cell, largest_moves.side
    from largest_moves
    inner join doubtful_cells using (point, cell, side)
    inner join points using (point)
    where not is_believable_move(largest_moves, doubtful_cells.last_wh, points)
),

single_readings as (
    select
        open_readings.point,
        open_readings.ts as read_at,
        min(open_readings.value) as value_wh,
        bit_or(
            try_cast(round(open_readings.value / open_readings.resolution_wh) as bigint)
        ) as set_bits,
        max(open_readings.quality) as worst_quality,
    from open_readings
    semi join opened_cells using (point, cell, side)
    group by open_readings.point, open_readings.ts
),

runs as (
    select
        candidates.point,
        candidates.first_wh,
        candidates.last_wh,
        candidates.moved_at,
        candidates.set_bits,
        candidates.worst_quality,
        candidates.first_at,
        candidates.last_at,
    from candidates
    anti join opened_cells
        on candidates.point = opened_cells.point
        and candidates.cell = opened_cells.cell
        and candidates.side is not distinct from opened_cells.side
    where candidates.kind in ('smooth', 'run', 'bold')
    union all
    select
        candidates.point,
        candidates.first_wh,
        candidates.last_wh,
        candidates.moved_at,
        candidates.set_bits,
        candidates.worst_quality,
        candidates.first_at,
        candidates.last_at,
    from candidates
    left join opened_cells
        on candidates.point = opened_cells.point
        and candidates.cell = opened_cells.cell
        and opened_cells.side is null
    where
        candidates.kind = 'reading'
        or (candidates.kind = 'spare' and opened_cells.cell is not null)
    union all
    select
        single_readings.point,
        single_readings.value_wh,
        single_readings.value_wh,
        null,
        single_readings.set_bits,
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
