-- One row: a meter in a period of the window, and the energy that passed through it.
-- method says where energy_wh comes from: `register`, its difference; `register+power`, the same
-- where its step is coarse against the energy, narrowed by what power readings allow;
-- `integrated`, where the register gave nothing in the period, power between readings at most 3
-- poll intervals apart, never extrapolated; `none`, neither: null. coverage_ratio: share of the
-- period, as far as the meter was in force, that was observed without a gap; measured_ratio: share
-- whose energy is in energy_wh, so a gap that a register bridges counts here and not there;
-- is_complete: measured_ratio reaches the site's minimum coverage. resolution_wh: how far
-- energy_wh can be off by the register's step, the edges and what was not measured; the accuracy
-- of the meter (accuracy_class, per cent) comes on top. flags: what happened: rollover, reset,
-- dip, spike, setback, lost, gap, substituted. grain: see buckets. roles: only meters of these
-- roles, such as 'utility,ups_output'. basis: 'roll-ups' where there are some, or 'readings' alone;
-- both give the same. Definitions: docs/metrics.md, "Energy".
create or replace macro energy(
    from_at, to_at, grain := 'window', roles := 'all', basis := 'roll-ups'
) as table (
with

registers as materialized (
    select * from register_energy(from_at, to_at, grain, roles, basis)
),

points as (
    select * from metered_points(from_at, to_at, roles)
),

-- parts that need power: no register, or one whose step is more than 0.5 % of the energy
uncertain as (
    select
        registers.*,
        points.interval_s,
    from registers
    inner join points using (device, component)
    where
        registers.measured_s = 0
        or registers.register_step_wh > 0.005 * registers.energy_wh
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
        (
            select
                list(distinct {'device': uncertain.device, 'component': uncertain.component})
            from uncertain
        )
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
        uncertain.meter,
        uncertain.bucket,
        uncertain.part_start_at,
        power_steps.* exclude (device, component),
        seconds_between(power_steps.start_at, power_steps.end_at) as step_s,
        greatest(seconds_between(power_steps.start_at, uncertain.part_start_at), 0) as from_s,
        least(seconds_between(power_steps.start_at, uncertain.part_end_at), step_s) as to_s,
        (to_s - from_s) / step_s as share,
    from uncertain
    inner join power_steps
        on uncertain.device = power_steps.device
        and uncertain.component = power_steps.component
        and uncertain.part_end_at > power_steps.start_at
        and uncertain.part_start_at < power_steps.end_at
        and power_steps.longest_s <= 3 * uncertain.interval_s
),

integrals as (
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
        max(pieces.highest_w) as highest_w,
        sum(pieces.steps) as steps,
        sum(pieces.to_s - pieces.from_s) as measured_s,
        sum(pieces.to_s - pieces.from_s) filter (not pieces.is_substituted) as observed_s,
        bool_or(pieces.is_substituted) as is_substituted,
    from pieces
    group by pieces.meter, pieces.bucket, pieces.part_start_at
),

-- what the register and the power allow together, where there are readings enough to tell
limits as (
    select
        integrals.*,
        registers.error_wh as register_error_wh,
        registers.measured_s > 0
        and integrals.steps >= 10
        and integrals.measured_s > registers.part_s - 1e-6
        and registers.measured_s > registers.part_s - 1e-6 as is_bracketed,
        greatest(
            registers.energy_wh - registers.error_wh,
            integrals.least_wh * (1 - registers.accuracy_class / 100)
        ) as floor_wh,
        least(
            registers.energy_wh + registers.error_wh,
            integrals.most_wh * (1 + registers.accuracy_class / 100)
        ) as ceiling_wh,
    from integrals
    inner join registers using (meter, part_start_at)
),

refined as (
    select
        limits.*,
        greatest(limits.floor_wh, least(limits.energy_wh, limits.ceiling_wh)) as clipped_wh,
        greatest(limits.ceiling_wh - clipped_wh, clipped_wh - limits.floor_wh) as clipped_error_wh,
        limits.is_bracketed
        and limits.floor_wh <= limits.ceiling_wh
        and clipped_error_wh < limits.register_error_wh as is_narrower,
    from limits
),

methods as (
    select
        registers.*,
        refined.* exclude (
            meter, bucket, part_start_at, energy_wh, error_wh, measured_s, observed_s
        ),
        refined.energy_wh as integrated_wh,
        refined.error_wh as integrated_error_wh,
        refined.measured_s as integrated_s,
        refined.observed_s as integrated_observed_s,
        case
            when refined.is_narrower then 'register+power'
            when registers.measured_s > 0 then 'register'
            when refined.measured_s > 0 then 'integrated'
            else 'none'
        end as method,
    from registers
    left join refined using (meter, part_start_at)
),

chosen as (
    select
        methods.* exclude (energy_wh, error_wh, measured_s, observed_s, flags),
        case methods.method
            when 'register+power' then methods.clipped_wh
            when 'integrated' then methods.integrated_wh
            else methods.energy_wh
        end as energy_wh,
        case methods.method
            when 'register+power' then methods.clipped_error_wh
            when 'integrated' then methods.integrated_error_wh
            + energy_at_most_wh(methods.highest_w, methods.delay_s)
            + energy_at_most_wh(methods.power_limit_w, methods.part_s - methods.integrated_s)
            else methods.error_wh
        end as error_wh,
        if(methods.method = 'integrated', methods.integrated_s, methods.measured_s) as measured_s,
        if(methods.method = 'integrated', methods.integrated_observed_s, methods.observed_s)
            as observed_s,
        methods.flags
        || if(
            methods.method = 'integrated' and methods.is_substituted,
            ['substituted'],
            []
        ) as flags,
    from methods
),

meter_sums as (
    select
        chosen.meter,
        chosen.meter_role,
        chosen.bucket,
        max_by(chosen.device, chosen.part_start_at) as device,
        max_by(chosen.component, chosen.part_start_at) as component,
        string_agg(distinct chosen.method, '+' order by chosen.method) as method,
        list_sort(list_distinct(flatten(list(chosen.flags)))) as flags,
        sum(chosen.energy_wh) as energy_wh,
        sum(chosen.error_wh) as resolution_wh,
        max(chosen.accuracy_class) as accuracy_class,
        sum(chosen.observed_s) / sum(chosen.part_s) as coverage_ratio,
        sum(chosen.measured_s) / sum(chosen.part_s) as measured_ratio,
        any_value(chosen.period_start_at) as period_start_at,
        any_value(chosen.period_end_at) as period_end_at,
    from chosen
    group by chosen.meter, chosen.meter_role, chosen.bucket
),

final as (
    select
        meter_sums.meter,
        meter_sums.meter_role,
        meter_sums.device,
        meter_sums.component,
        device_versions.hall,
        device_versions.row,
        device_versions.rack,
        meter_sums.method,
        meter_sums.flags,
        meter_sums.energy_wh,
        meter_sums.resolution_wh,
        meter_sums.accuracy_class,
        meter_sums.coverage_ratio,
        meter_sums.measured_ratio,
        coalesce(meter_sums.measured_ratio >= site_versions.minimum_coverage_ratio, false)
            as is_complete,
        meter_sums.period_start_at,
        meter_sums.period_end_at,
    from meter_sums
    left join device_versions
        on meter_sums.device = device_versions.device
        and meter_sums.period_end_at > device_versions.valid_from_at
        and meter_sums.period_end_at <= device_versions.valid_to_at
    left join site_versions
        on meter_sums.period_end_at > site_versions.valid_from_at
        and meter_sums.period_end_at <= site_versions.valid_to_at
)

select * from final
);
