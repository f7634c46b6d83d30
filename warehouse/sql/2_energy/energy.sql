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

-- parts that need power: no register, or one whose step is more than 0.5 % of the energy
uncertain as (
    select registers.*
    from registers
    where
        registers.measured_s = 0
        or registers.register_step_wh > 0.005 * registers.energy_wh
),

integrals as (
    select power_energy.*
    from power_energy(
        from_at,
        to_at,
        grain,
        roles,
        basis,
        (
            select
                list(distinct {'device': uncertain.device, 'component': uncertain.component})
            from uncertain
        )
    ) as power_energy
    semi join uncertain using (meter, part_start_at)
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
