-- One row: a total of the site's PUE boundary in a period: e_dc (category 0), the e_it of a
-- category (1 UPS output, 2 PDU output, 3 IT equipment input; ISO/IEC 30134-2), or, whatever the
-- boundary, `utility` (category 0): what the grid delivers.
-- category: only that e_it, or 'all'. energy_wh: sum over the meters of the boundary's roles, each
-- with its sign. resolution_wh: sum of theirs (edges move together). accuracy_wh: root of the sum
-- of squares of class x energy, meters being independent; limit_wh: plain sum of the same.
-- coverage_ratio: least of the roles' mean coverage. missing_meters: those whose energy is not
-- complete. empty_roles: roles without meters.
-- carriers_wh: of e_dc's energy_wh, fuels and district cooling, each by its weight (see
-- carrier_energy); 0 where none is used. carriers_reason: why one of them is not known.
-- The boundary is the one in force at the period's end. basis: see energy.
create or replace macro boundary_energy(
    from_at, to_at, grain := 'window', category := 'all', basis := 'roll-ups'
) as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

meter_energy as (
    select *
    from energy(
        from_at,
        to_at,
        grain,
        (
            select concat_ws(',', 'utility', string_agg(distinct asked.meter_role, ','))
            from boundary_versions as asked
            where asked.category = 0 or category::varchar in ('all', asked.category::varchar)
        ),
        basis
    )
),

carriers as (
    select
        carrier_energy.period_start_at,
        sum(carrier_energy.weighted_kwh) * 1000 as weighted_wh,
        string_agg(
            if(
                carrier_energy.energy_kwh is null,
                carrier_energy.reason,
                'source_energy_ratio of ' || carrier_energy.carrier || ' is not stated'
            ),
            '; ' order by carrier_energy.carrier
        ) filter (carrier_energy.weighted_kwh is null) as reason,
    from carrier_energy(from_at, to_at, grain) as carrier_energy
    group by carrier_energy.period_start_at
),

sites as (
    select
        periods.*,
        site_versions.boundary,
        site_versions.minimum_coverage_ratio,
    from periods
    inner join site_versions
        on periods.period_end_at > site_versions.valid_from_at
        and periods.period_end_at <= site_versions.valid_to_at
),

terms as (
    select
        sites.* exclude (bucket),
        boundary_versions.total,
        boundary_versions.category,
        boundary_versions.meter_role,
        boundary_versions.sign,
    from sites
    inner join boundary_versions
        on sites.boundary = boundary_versions.boundary
        and sites.period_end_at > boundary_versions.valid_from_at
        and sites.period_end_at <= boundary_versions.valid_to_at
    where
        boundary_versions.category = 0
        or category::varchar in ('all', boundary_versions.category::varchar)
    union all by name
    select
        sites.* exclude (bucket),
        'utility' as total,
        0 as category,
        'utility' as meter_role,
        1 as sign,
    from sites
),

role_sums as (
    select
        terms.*,
        sum(terms.sign * meter_energy.energy_wh) as energy_wh,
        sum(meter_energy.resolution_wh) as resolution_wh,
        sum(power(meter_energy.accuracy_class / 100 * meter_energy.energy_wh, 2)) as variance_wh2,
        sum(meter_energy.accuracy_class / 100 * abs(meter_energy.energy_wh)) as limit_wh,
        avg(meter_energy.coverage_ratio) as coverage_ratio,
        count(meter_energy.meter) as meters,
        list(meter_energy.meter order by meter_energy.meter) filter (
            not meter_energy.is_complete
        ) as missing_meters,
    from terms
    left join meter_energy using (period_start_at, meter_role)
    group by all
),

sums as (
    select
        role_sums.boundary,
        role_sums.total,
        role_sums.category,
        sum(role_sums.meters)::bigint as meters,
        coalesce(flatten(list(role_sums.missing_meters)), []) as missing_meters,
        coalesce(
            list(role_sums.meter_role order by role_sums.meter_role) filter (role_sums.meters = 0),
            []
        ) as empty_roles,
        sum(role_sums.energy_wh) as energy_wh,
        sum(role_sums.resolution_wh) as resolution_wh,
        sqrt(sum(role_sums.variance_wh2)) as accuracy_wh,
        sum(role_sums.limit_wh) as limit_wh,
        min(coalesce(role_sums.coverage_ratio, 0)) as coverage_ratio,
        any_value(role_sums.minimum_coverage_ratio) as minimum_coverage_ratio,
        role_sums.period_start_at,
        role_sums.period_end_at,
    from role_sums
    group by all
),

final as (
    select
        sums.* exclude (energy_wh, period_start_at, period_end_at),
        if(sums.total = 'e_dc', coalesce(carriers.weighted_wh, 0), 0) as carriers_wh,
        if(sums.total = 'e_dc', carriers.reason, null) as carriers_reason,
        sums.energy_wh + carriers_wh as energy_wh,
        sums.period_start_at,
        sums.period_end_at,
    from sums
    left join carriers using (period_start_at)
)

select * from final
);
