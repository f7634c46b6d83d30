-- One row: the heat that a chiller, CDU or air handler removed in a period.
-- heat_wh: thermal; of its register cooling_energy_wh where it was read for enough of the period
-- (method heat_register), else the line between polls' heat_w, see cooling_polls, at most 3 poll
-- intervals apart (integrated); null where reason says why. coverage_ratio: share of the period so
-- covered. grain: see buckets.
create or replace macro unit_heat(from_at, to_at, grain := 'window') as table (
with

periods as (
    select
        buckets.*,
        coalesce(site_versions.minimum_coverage_ratio, 1) as minimum_coverage_ratio,
    from buckets(from_at, to_at, grain) as buckets
    left join site_versions
        on buckets.period_end_at > site_versions.valid_from_at
        and buckets.period_end_at <= site_versions.valid_to_at
),

units as (
    select
        periods.*,
        device_versions.device,
        device_versions.device_role,
        device_versions.hall,
    from periods
    inner join device_versions
        on periods.period_end_at > device_versions.valid_from_at
        and periods.period_end_at <= device_versions.valid_to_at
    where device_versions.device_role in ('chiller', 'cdu', 'air_handler')
),

polls as (
    select
        cooling_polls.device,
        cooling_polls.heat_w,
        cooling_polls.interval_s,
        cooling_polls.read_at,
        lag(cooling_polls.heat_w) over in_time as previous_w,
        lag(cooling_polls.read_at) over in_time as previous_at,
    from cooling_polls(from_at, to_at) as cooling_polls
    where cooling_polls.heat_w is not null
    window in_time as (partition by cooling_polls.device order by cooling_polls.read_at)
),

integrals as (
    select
        polls.device,
        periods.period_start_at,
        sum(
            (polls.previous_w + polls.heat_w) / 2 / 3600 * seconds_between(
                greatest(polls.previous_at, periods.period_start_at),
                least(polls.read_at, periods.period_end_at)
            )
        ) as heat_wh,
        sum(
            seconds_between(
                greatest(polls.previous_at, periods.period_start_at),
                least(polls.read_at, periods.period_end_at)
            )
        ) / any_value(seconds_between(periods.period_start_at, periods.period_end_at))
            as coverage_ratio,
    from polls
    inner join periods
        on polls.previous_at < periods.period_end_at
        and polls.read_at > periods.period_start_at
    where seconds_between(polls.previous_at, polls.read_at) <= 3 * polls.interval_s
    group by polls.device, periods.period_start_at
),

registers as (
    select *
    from counter_amounts(
        from_at, to_at, 'cooling_energy_wh', 'chiller,cdu,air_handler', grain, components := ''
    )
),

fluids as (
    select distinct period_factors.subject
    from period_factors(from_at, to_at) as period_factors
    where period_factors.factor = 'fluid_w_per_lpm_k'
),

known as (
    select
        units.*,
        case
            when registers.measured_ratio >= units.minimum_coverage_ratio then 'heat_register'
            when integrals.coverage_ratio >= units.minimum_coverage_ratio then 'integrated'
            else 'none'
        end as method,
        registers.amount as register_wh,
        registers.coverage_ratio as register_ratio,
        integrals.heat_wh as integrated_wh,
        integrals.coverage_ratio as integrated_ratio,
        units.device in (select fluids.subject from fluids)
        or units.device_role in (select fluids.subject from fluids) as has_fluid,
    from units
    left join registers using (device, period_start_at)
    left join integrals using (device, period_start_at)
),

final as (
    select
        known.device,
        known.device_role,
        known.hall,
        known.method,
        case known.method
            when 'heat_register' then known.register_wh
            when 'integrated' then known.integrated_wh
        end as heat_wh,
        case
            when known.method = 'heat_register' then known.register_ratio
            else least(coalesce(known.integrated_ratio, 0), 1)
        end as coverage_ratio,
        case
            when known.method <> 'none' then null
            when coalesce(known.integrated_ratio, known.register_ratio) > 0
                then 'too little was read of ' || known.device
            when known.has_fluid
                then 'the heat of ' || known.device || ' is not told by cooling_energy_wh, '
                || 'cooling_power_w, nor flow_lpm with both temperatures'
            else 'the heat of ' || known.device || ' is not told by cooling_energy_wh or '
            || 'cooling_power_w, and for flow_lpm fluid_w_per_lpm_k is not stated'
        end as reason,
        known.period_start_at,
        known.period_end_at,
    from known
)

select * from final
);
