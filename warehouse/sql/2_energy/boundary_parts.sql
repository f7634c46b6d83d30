-- One row: what a total of the PUE boundary is the sum of, in a period: a meter, or a fuel or
-- district cooling (meter_role `carrier`, category 0, sign +1). Sum of sign x energy_wh over a
-- total's rows: as boundary_energy has it.
-- part: the meter, or the carrier. energy_wh: of a carrier by its weight, see carrier_energy.
-- Parameters: see boundary_energy.
create or replace macro boundary_parts(
    from_at, to_at, grain := 'window', basis := 'roll-ups'
) as table (
with

meter_energy as (
    select *
    from energy(
        from_at,
        to_at,
        grain,
        (
            select string_agg(distinct asked.meter_role, ',')
            from boundary_versions as asked
        ),
        basis
    )
),

final as (
    select
        boundary_versions.total,
        boundary_versions.category,
        meter_energy.meter as part,
        meter_energy.meter_role,
        boundary_versions.sign,
        meter_energy.energy_wh,
        meter_energy.resolution_wh,
        meter_energy.accuracy_class,
        meter_energy.coverage_ratio,
        meter_energy.period_start_at,
        meter_energy.period_end_at,
    from meter_energy
    inner join site_versions
        on meter_energy.period_end_at > site_versions.valid_from_at
        and meter_energy.period_end_at <= site_versions.valid_to_at
    inner join boundary_versions
        on site_versions.boundary = boundary_versions.boundary
        and meter_energy.meter_role = boundary_versions.meter_role
        and meter_energy.period_end_at > boundary_versions.valid_from_at
        and meter_energy.period_end_at <= boundary_versions.valid_to_at
    union all
    select
        'e_dc',
        0,
        carriers.carrier,
        'carrier',
        1,
        carriers.weighted_kwh * 1000,
        null,
        null,
        null,
        carriers.period_start_at,
        carriers.period_end_at,
    from carrier_energy(from_at, to_at, grain) as carriers
)

select * from final
);
