-- One row: a part of a period for one version of a meter, and the energy that its power readings
-- integrate to: trapezoids between readings at most 3 poll intervals apart, nothing extrapolated.
-- components: a list of {device, component}: only these. error_wh: of a power that only rises, or
-- only falls, between two readings. least_wh, most_wh: of a power that stays between the least and
-- the most that was read (lowest_w, highest_w). steps: lines between readings. measured_s,
-- observed_s: seconds that are in energy_wh; and those without substituted readings.
create or replace macro power_energy(
    from_at, to_at, grain, roles, basis, components
) as table (
with

points as materialized (
    select * from metered_points(from_at, to_at, roles)
),

parts as (
    select
        meter_parts.*,
        points.interval_s,
    from meter_parts(from_at, to_at, grain, roles) as meter_parts
    inner join points using (device, component)
),

chosen as (
    select unnest(components, recursive := true)
),

chosen_points as (
    select {
        'device': points.device,
        'component': points.component,
        'cell_us': points.cell_us,
        'slot_us': points.slot_us
    } as component,
    from points
    semi join chosen using (device, component)
),

runs as (
    select
        power_runs.*,
        lag(power_runs.last_w) over in_time as previous_w,
        lag(power_runs.worst_quality) over in_time as previous_quality,
        lag(power_runs.last_at) over in_time as previous_at,
    from power_runs(
        from_at,
        to_at,
        grain,
        basis,
        (select list(chosen_points.component) from chosen_points)
    ) as power_runs
    window in_time as (
        partition by power_runs.device, power_runs.component
        order by power_runs.first_at
    )
),

-- within runs, and from one to the next on the line between two readings
power_steps as (
    select
        runs.device,
        runs.component,
        runs.first_at as start_at,
        runs.last_at as end_at,
        runs.integral_wh,
        0 as change_w,
        runs.sampling_error_wh,
        runs.lowest_w,
        runs.highest_w,
        runs.steps,
        false as is_substituted,
        0 as longest_s,
    from runs
    where runs.last_at > runs.first_at
    union all
    select
        runs.device,
        runs.component,
        runs.previous_at,
        runs.first_at,
        (runs.previous_w + runs.first_w) / 2
        * seconds_between(runs.previous_at, runs.first_at) / 3600,
        runs.first_w - runs.previous_w,
        abs(runs.first_w - runs.previous_w) / 2
        * seconds_between(runs.previous_at, runs.first_at) / 3600,
        least(runs.previous_w, runs.first_w),
        greatest(runs.previous_w, runs.first_w),
        1,
        greatest(runs.worst_quality, runs.previous_quality) > 0,
        seconds_between(runs.previous_at, runs.first_at),
    from runs
    where runs.first_at > runs.previous_at
),

pieces as (
    select
        parts.meter,
        parts.bucket,
        parts.part_start_at,
        power_steps.* exclude (device, component),
        seconds_between(power_steps.start_at, power_steps.end_at) as step_s,
        greatest(seconds_between(power_steps.start_at, parts.part_start_at), 0) as from_s,
        least(seconds_between(power_steps.start_at, parts.part_end_at), step_s) as to_s,
        (to_s - from_s) / step_s as share,
    from parts
    inner join power_steps
        on parts.device = power_steps.device
        and parts.component = power_steps.component
        and parts.part_end_at > power_steps.start_at
        and parts.part_start_at < power_steps.end_at
        and power_steps.longest_s <= 3 * parts.interval_s
),

final as (
    select
        pieces.meter,
        pieces.bucket,
        pieces.part_start_at,
        -- the power halfway through the piece is off the middle of the line by its share of change
        sum(
            pieces.integral_wh * pieces.share
            + pieces.change_w * (pieces.from_s + pieces.to_s - pieces.step_s) / 2 / pieces.step_s
            * (pieces.to_s - pieces.from_s) / 3600
        ) as energy_wh,
        -- of a power that only rises, or only falls, between two readings
        sum(pieces.sampling_error_wh * pieces.share) as error_wh,
        -- of a power that stays between the least and the most that its readings show
        sum(pieces.to_s - pieces.from_s) / 3600 * min(pieces.lowest_w) as least_wh,
        sum(pieces.to_s - pieces.from_s) / 3600 * max(pieces.highest_w) as most_wh,
        min(pieces.lowest_w) as lowest_w,
        max(pieces.highest_w) as highest_w,
        sum(pieces.steps) as steps,
        sum(pieces.to_s - pieces.from_s) as measured_s,
        sum(pieces.to_s - pieces.from_s) filter (not pieces.is_substituted) as observed_s,
        bool_or(pieces.is_substituted) as is_substituted,
    from pieces
    group by pieces.meter, pieces.bucket, pieces.part_start_at
)

select * from final
);
