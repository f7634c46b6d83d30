-- $start_at, $end_at: quarters of an hour in which no meter changes, or one alone.
-- The rows of energy_15m of them, sorted: of each register its smooth cells as runs, bold ones
-- (whose readings cannot all follow each other) with their readings to spare, and the readings of
-- all others; of each power its quarter as a run, or its readings where there is a gap or doubt.
-- Where a meter changes inside a quarter, the readings are there as well.
with

points as materialized (
    select
        metered_points.*,
        exists (
            select 1
            from meter_versions
            where
                (
                    meter_versions.valid_from_at > $start_at
                    and meter_versions.valid_from_at < $end_at
                )
                or (meter_versions.valid_to_at > $start_at and meter_versions.valid_to_at < $end_at)
        ) as is_cut,
    from metered_points($start_at, $end_at) as metered_points
),

readings as materialized (
    select
        usable_readings.quantity,
        usable_readings.value,
        usable_readings.quality,
        usable_readings.ts,
        points.point,
        epoch_us(usable_readings.ts) // points.cell_us as cell,
        (epoch_us(usable_readings.ts) % points.cell_us) // points.slot_us as slot,
        points.resolution_wh,
    from usable_readings
    inner join points using (device, component)
    where
        usable_readings.quantity in ('energy_imported_wh', 'active_power_w')
        and usable_readings.ts >= $start_at
        and usable_readings.ts < $end_at
),

registers as (
    select readings.*
    from readings
    where readings.quantity = 'energy_imported_wh' and readings.resolution_wh is not null
),

register_cells as (
    select
        registers.point,
        registers.cell,
        arg_min(registers.value, registers.ts) as first_wh,
        arg_max(registers.value, registers.ts) as last_wh,
        min(registers.value) as lowest_wh,
        max(registers.value) as highest_wh,
        max(registers.quality) as worst_quality,
        bit_or(try_cast(round(registers.value / registers.resolution_wh) as bigint)) as set_bits,
        bit_or(1::bigint << registers.slot::integer) as slots_hit,
        min(registers.ts) as first_at,
        max(registers.ts) as last_at,
    from registers
    group by registers.point, registers.cell
),

register_steps as (
    select
        registers.point,
        registers.cell,
        registers.ts as read_at,
        registers.value - lag(registers.value) over in_cell as rise_wh,
    from registers
    window in_cell as (
        partition by registers.point, registers.cell
        order by registers.ts, registers.value
    )
),

moves as (
    select
        register_steps.*,
        seconds_between(
            lag(register_steps.read_at) over (
                partition by register_steps.point, register_steps.cell
                order by register_steps.read_at
            ),
            register_steps.read_at
        ) as still_s,
    from register_steps
    where register_steps.rise_wh <> 0
),

largest_moves as (
    select
        moves.point,
        moves.cell,
        max(abs(moves.rise_wh)) as rise_wh,
        max(moves.still_s) as still_s,
    from moves
    group by moves.point, moves.cell
),

judged_cells as (
    select
        register_cells.*,
        is_smooth_cell(register_cells, points) as is_smooth,
        largest_moves.cell is not null
        and not is_believable_move(largest_moves, register_cells.last_wh, points) as is_bold,
        points.is_cut,
    from register_cells
    inner join points using (point)
    left join largest_moves using (point, cell)
),

register_readings as (
    select
        registers.point,
        registers.cell,
        registers.ts as read_at,
        min(registers.value) as value,
        bit_or(try_cast(round(registers.value / registers.resolution_wh) as bigint)) as set_bits,
        max(registers.quality) as quality,
        any_value(judged_cells.is_smooth) as is_smooth,
    from registers
    inner join judged_cells using (point, cell)
    where not judged_cells.is_smooth or judged_cells.is_bold or judged_cells.is_cut
    group by registers.point, registers.cell, registers.ts
),

powers as (
    select
        readings.point,
        readings.ts as read_at,
        min(readings.value) as power_w,
        max(readings.quality) as quality,
    from readings
    where readings.quantity = 'active_power_w'
    group by readings.point, readings.ts
),

power_steps as (
    select
        powers.*,
        quarter_of(powers.read_at) as quarter_at,
        lag(powers.power_w) over in_quarter as previous_w,
        seconds_between(lag(powers.read_at) over in_quarter, powers.read_at) as step_s,
    from powers
    window in_quarter as (
        partition by powers.point, quarter_of(powers.read_at)
        order by powers.read_at
    )
),

power_quarters as (
    select
        power_steps.point,
        power_steps.quarter_at,
        min(power_steps.read_at) as first_at,
        max(power_steps.read_at) as last_at,
        arg_min(power_steps.power_w, power_steps.read_at) as first_w,
        arg_max(power_steps.power_w, power_steps.read_at) as last_w,
        sum((power_steps.power_w + power_steps.previous_w) / 2 * power_steps.step_s / 3600)
            as integral_wh,
        sum(abs(power_steps.power_w - power_steps.previous_w) / 2 * power_steps.step_s / 3600)
            as sampling_error_wh,
        min(power_steps.power_w) as lowest_w,
        max(power_steps.power_w) as highest_w,
        count(power_steps.step_s) as steps,
        max(power_steps.quality) = 0
        and max(power_steps.step_s) <= 3 * any_value(points.interval_s)
        and not any_value(points.is_cut) as is_whole,
    from power_steps
    inner join points using (point)
    group by power_steps.point, power_steps.quarter_at
),

runs as (
    select
        judged_cells.point,
        'energy_imported_wh' as quantity,
        if(judged_cells.is_bold, 'bold', 'run') as kind,
        judged_cells.cell,
        judged_cells.first_at,
        judged_cells.last_at,
        judged_cells.first_wh as first_value,
        judged_cells.last_wh as last_value,
        judged_cells.worst_quality as quality,
        if(judged_cells.last_wh > judged_cells.first_wh, judged_cells.first_at, null) as moved_at,
        judged_cells.set_bits,
        null::double as integral_wh,
        null::double as sampling_error_wh,
        null::double as lowest_w,
        null::double as highest_w,
        null::integer as steps,
    from judged_cells
    where judged_cells.is_smooth
    union all by name
    select
        register_readings.point,
        'energy_imported_wh' as quantity,
        if(register_readings.is_smooth, 'spare', 'reading') as kind,
        register_readings.cell,
        register_readings.read_at as first_at,
        register_readings.read_at as last_at,
        register_readings.value as first_value,
        register_readings.value as last_value,
        register_readings.quality,
        register_readings.set_bits,
    from register_readings
    union all by name
    select
        power_quarters.point,
        'active_power_w' as quantity,
        'run' as kind,
        null as cell,
        power_quarters.first_at,
        power_quarters.last_at,
        power_quarters.first_w as first_value,
        power_quarters.last_w as last_value,
        0 as quality,
        power_quarters.integral_wh,
        power_quarters.sampling_error_wh,
        power_quarters.lowest_w,
        power_quarters.highest_w,
        power_quarters.steps,
    from power_quarters
    where power_quarters.is_whole
    union all by name
    select
        power_steps.point,
        'active_power_w' as quantity,
        'reading' as kind,
        null as cell,
        power_steps.read_at as first_at,
        power_steps.read_at as last_at,
        power_steps.power_w as first_value,
        power_steps.power_w as last_value,
        power_steps.quality,
    from power_steps
    inner join power_quarters using (point, quarter_at)
    where not coalesce(power_quarters.is_whole, false)
)

select
    quarter_of(runs.first_at) as quarter_at,
    points.device,
    points.component,
    runs.quantity,
    runs.kind,
    coalesce(make_timestamptz(runs.cell * points.cell_us), quarter_of(runs.first_at)) as cell_at,
    runs.first_at,
    runs.last_at,
    runs.first_value,
    runs.last_value,
    runs.quality::utinyint as quality,
    runs.moved_at,
    runs.set_bits,
    runs.integral_wh,
    runs.sampling_error_wh,
    runs.lowest_w,
    runs.highest_w,
    runs.steps::integer as steps,
from runs
inner join points using (point)
order by runs.quantity, points.device, points.component, runs.first_at, runs.kind
