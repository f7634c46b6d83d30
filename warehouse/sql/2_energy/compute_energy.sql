-- One row: the energy of the chips in a period: the denominator of TUE and ITUE.
-- energy_wh: the GPUs' own registers (energy_imported_wh of components gpu.*, see counter_amounts)
-- and, where nodes tell it, their CPUs' power integrated (cpu_power_w); null where reason says why.
-- denominator: which of the two are in it; what chips there are that tell neither (switches,
-- network cards) is not. gpus: how many. coverage_ratio: mean of the GPUs'. grain: see buckets.
create or replace macro compute_energy(from_at, to_at, grain := 'window') as table (
with

nodes as (
    select
        buckets.*,
        coalesce(site_versions.minimum_coverage_ratio, 1) as minimum_coverage_ratio,
        device_versions.device,
    from buckets(from_at, to_at, grain) as buckets
    left join site_versions
        on buckets.period_end_at > site_versions.valid_from_at
        and buckets.period_end_at <= site_versions.valid_to_at
    left join device_versions
        on device_versions.device_role = 'gpu_node'
        and buckets.period_end_at > device_versions.valid_from_at
        and buckets.period_end_at <= device_versions.valid_to_at
),

gpus as (
    select *
    from counter_amounts(
        from_at, to_at, 'energy_imported_wh', 'gpu_node', grain, components := 'gpu.%'
    ) as amounts
    where amounts.component not like '%/%'
),

cpus as (
    select
        powers.period_start_at,
        powers.device,
        sum(powers.integral_h) as energy_wh,
        min(powers.coverage_ratio) as coverage_ratio,
    from gauge_integrals(
        from_at, to_at, 'cpu_power_w', 'gpu_node', grain, components := 'cpu.%'
    ) as powers
    group by powers.period_start_at, powers.device
),

node_sums as (
    select
        nodes.period_start_at,
        nodes.period_end_at,
        nodes.device,
        count(gpus.component) as gpus,
        sum(gpus.amount) as gpu_wh,
        any_value(cpus.energy_wh) as cpu_wh,
        avg(coalesce(gpus.coverage_ratio, 0)) as coverage_ratio,
        coalesce(
            min(coalesce(gpus.measured_ratio, 0)) >= any_value(nodes.minimum_coverage_ratio)
            and coalesce(
                any_value(cpus.coverage_ratio) >= any_value(nodes.minimum_coverage_ratio),
                true
            ),
            false
        ) as is_complete,
    from nodes
    left join gpus using (device, period_start_at)
    left join cpus using (device, period_start_at)
    group by nodes.period_start_at, nodes.period_end_at, nodes.device
),

final as (
    select
        if(
            count(node_sums.cpu_wh) > 0,
            'registers of ' || sum(node_sums.gpus) || ' GPUs, CPU power of '
            || count(node_sums.cpu_wh) || ' nodes',
            'registers of ' || sum(node_sums.gpus) || ' GPUs'
        ) as denominator,
        sum(node_sums.gpus)::bigint as gpus,
        if(
            bool_and(node_sums.is_complete),
            sum(node_sums.gpu_wh) + coalesce(sum(node_sums.cpu_wh), 0),
            null
        ) as energy_wh,
        sum(node_sums.coverage_ratio * node_sums.gpus) / nullif(sum(node_sums.gpus), 0)
            as coverage_ratio,
        case
            when count(node_sums.device) = 0 then 'the site has no gpu_node'
            when not bool_and(node_sums.is_complete)
                then 'too little was read of ' || named(
                    list(node_sums.device order by node_sums.device) filter (
                        not node_sums.is_complete
                    )
                )
        end as reason,
        node_sums.period_start_at,
        node_sums.period_end_at,
    from node_sums
    group by node_sums.period_start_at, node_sums.period_end_at
)

select * from final
);
