-- One row: a total of the site's PUE boundary in a period: e_dc (category 0), the e_it of a
-- category (1 UPS output, 2 PDU output, 3 IT equipment input; ISO/IEC 30134-2), or, whatever the
-- boundary, `utility` (category 0): what the grid delivers.
-- category: only that e_it, or 'all'. energy_wh: sum over the meters of the boundary's roles, each
-- with its sign. resolution_wh: sum of theirs (edges move together). accuracy_wh: root of the sum
-- of squares of class x energy, meters being independent. coverage_ratio: least of the roles' mean
-- coverage. missing_meters: those whose energy is not complete. empty_roles: roles without meters.
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
        avg(meter_energy.coverage_ratio) as coverage_ratio,
        count(meter_energy.meter) as meters,
        list(meter_energy.meter order by meter_energy.meter) filter (
            not meter_energy.is_complete
        ) as missing_meters,
    from terms
    left join meter_energy using (period_start_at, meter_role)
    group by all
),

final as (
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
        min(coalesce(role_sums.coverage_ratio, 0)) as coverage_ratio,
        any_value(role_sums.minimum_coverage_ratio) as minimum_coverage_ratio,
        role_sums.period_start_at,
        role_sums.period_end_at,
    from role_sums
    group by all
)

select * from final
);
