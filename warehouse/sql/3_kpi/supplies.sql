-- One row: a supply of the site in a period: what each brings into E_DC, and the generators and
-- other secondary supplies apart (E_DC_BG of Delegated Regulation (EU) 2024/1364 is the row
-- `generator`).
-- supply: a meter role (utility, generator, on_site_generation, export), a fuel, or
-- district_cooling. energy_kwh: what was metered, or bought as fuel; null where reason says why.
-- source_energy_ratio: what a kWh of it counts for in E_DC: of electricity 1, of export -1, 0
-- where the boundary has it not; of the others as the site states. in_e_dc_kwh: their product.
-- share_ratio: of the sum of all. coverage_ratio: mean of the meters'. grain: see buckets.
create or replace macro supplies(from_at, to_at, grain := 'window') as table (
with

electric as (
    select *
    from role_energy(from_at, to_at, 'utility,generator,on_site_generation,export', grain)
),

weights as (
    select
        electric.meter_role,
        electric.period_start_at,
        sum(coalesce(boundary_versions.sign, 0)) as source_energy_ratio,
    from electric
    left join site_versions
        on electric.period_end_at > site_versions.valid_from_at
        and electric.period_end_at <= site_versions.valid_to_at
    left join boundary_versions
        on site_versions.boundary = boundary_versions.boundary
        and boundary_versions.total = 'e_dc'
        and electric.meter_role = boundary_versions.meter_role
        and electric.period_end_at > boundary_versions.valid_from_at
        and electric.period_end_at <= boundary_versions.valid_to_at
    group by electric.meter_role, electric.period_start_at
),

rows_found as (
    select
        electric.meter_role as supply,
        electric.energy_wh / 1000 as energy_kwh,
        weights.source_energy_ratio,
        electric.energy_wh / 1000 * weights.source_energy_ratio as in_e_dc_kwh,
        electric.coverage_ratio,
        electric.reason,
        electric.period_start_at,
        electric.period_end_at,
    from electric
    inner join weights using (meter_role, period_start_at)
    where electric.meters > 0 or weights.source_energy_ratio <> 0
    union all
    select
        carriers.carrier,
        carriers.energy_kwh,
        carriers.weighted_kwh / nullif(carriers.energy_kwh, 0),
        carriers.weighted_kwh,
        null,
        if(carriers.weighted_kwh is null, carriers.reason, null),
        carriers.period_start_at,
        carriers.period_end_at,
    from carrier_energy(from_at, to_at, grain) as carriers
),

final as (
    select
        rows_found.supply,
        rows_found.energy_kwh,
        rows_found.source_energy_ratio,
        rows_found.in_e_dc_kwh,
        rows_found.in_e_dc_kwh
        / nullif(
            sum(rows_found.in_e_dc_kwh) over (partition by rows_found.period_start_at), 0
        ) as share_ratio,
        rows_found.coverage_ratio,
        rows_found.reason,
        rows_found.period_start_at,
        rows_found.period_end_at,
    from rows_found
)

select * from final
);
