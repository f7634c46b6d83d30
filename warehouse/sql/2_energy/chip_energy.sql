-- One row: the energy of the chips of a place in a period, as the devices of the role gpu_node
-- report it; place: see place_of, of the node at the period's end.
-- gpu_wh: see gpu_energy; gpus_by_power: GPUs whose power had to do, for want of a counter. cpu_wh:
-- power of CPUs that report it (Grace), integrated; null where none does.
create or replace macro chip_energy(from_at, to_at, grain := 'window', scope := 'site') as table (
with

nodes as (
    select
        periods.period_start_at,
        periods.period_end_at,
        device_versions.device,
        arg_max(
            place_of(scope, device_versions.hall, device_versions.row, device_versions.rack),
            device_versions.valid_from_at
        ) as place,
    from buckets(from_at, to_at, grain) as periods
    inner join device_versions
        on device_versions.valid_from_at < periods.period_end_at
        and device_versions.valid_to_at > periods.period_start_at
    where device_versions.device_role = 'gpu_node'
    group by all
),

gpus as (
    select * exclude (period_end_at) from gpu_energy(from_at, to_at, grain)
),

cpus as (
    select
        powers.device,
        powers.period_start_at,
        sum(powers.integral_h) as energy_wh,
    from gauge_integrals(
        from_at, to_at, 'cpu_power_w', 'gpu_node', grain, components := 'cpu.%'
    ) as powers
    group by powers.device, powers.period_start_at
),

final as (
    select
        nodes.place,
        sum(gpus.energy_wh) as gpu_wh,
        coalesce(sum(gpus.by_power), 0)::bigint as gpus_by_power,
        sum(cpus.energy_wh) as cpu_wh,
        nodes.period_start_at,
        nodes.period_end_at,
    from nodes
    left join gpus using (device, period_start_at)
    left join cpus using (device, period_start_at)
    where nodes.place is not null
    group by nodes.place, nodes.period_start_at, nodes.period_end_at
)

select * from final
);
