-- One row: a total of the energy of a place in a period: the e_it of a category of the site's
-- boundary (1, 2, 3), or `utility` (category 0).
-- place: see place_of; a meter counts where its device stands, so a place has only the totals
-- that are metered in it: a rack has no UPS output, and only the site has the utility's meters,
-- wherever they stand.
-- energy_wh: sum of the meters with their signs; null where one is not complete
-- (missing_meters), or where a role has no meter (for a place smaller than the site: where none of
-- the roles that are added has one). grain: see buckets.
create or replace macro place_energy(from_at, to_at, grain := 'window', scope := 'site') as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

meter_energy as (
    select
        energy.*,
        place_of(scope, energy.hall, energy.row, energy.rack) as place,
    from energy(
        from_at,
        to_at,
        grain,
        (
            select concat_ws(',', 'utility', string_agg(distinct asked.meter_role, ','))
            from boundary_versions as asked
            where asked.total = 'e_it'
        )
    ) as energy
),

terms as (
    select
        periods.period_start_at,
        boundary_versions.total,
        boundary_versions.category,
        boundary_versions.meter_role,
        boundary_versions.sign,
    from periods
    inner join site_versions
        on periods.period_end_at > site_versions.valid_from_at
        and periods.period_end_at <= site_versions.valid_to_at
    inner join boundary_versions
        on site_versions.boundary = boundary_versions.boundary
        and periods.period_end_at > boundary_versions.valid_from_at
        and periods.period_end_at <= boundary_versions.valid_to_at
    where boundary_versions.total = 'e_it'
    union all
    select periods.period_start_at, 'utility', 0, 'utility', 1
    from periods
    where scope = 'site'
),

places as (
    select distinct meter_energy.place from meter_energy where meter_energy.place is not null
),

role_sums as (
    select
        places.place,
        terms.*,
        sum(terms.sign * meter_energy.energy_wh) as energy_wh,
        count(meter_energy.meter) as meters,
        list(meter_energy.meter order by meter_energy.meter) filter (
            not meter_energy.is_complete
        ) as missing_meters,
    from terms
    cross join places
    left join meter_energy
        on places.place = meter_energy.place
        and terms.period_start_at = meter_energy.period_start_at
        and terms.meter_role = meter_energy.meter_role
    group by all
),

sums as (
    select
        role_sums.place,
        role_sums.total,
        role_sums.category,
        sum(role_sums.energy_wh) as energy_wh,
        list_distinct(coalesce(flatten(list(role_sums.missing_meters)), [])) as missing_meters,
        if(
            scope = 'site',
            bool_and(role_sums.meters > 0),
            bool_or(role_sums.meters > 0 and role_sums.sign > 0)
        ) as has_meters,
        role_sums.period_start_at,
    from role_sums
    group by role_sums.place, role_sums.total, role_sums.category, role_sums.period_start_at
),

final as (
    select
        sums.place,
        sums.total,
        sums.category,
        if(
            sums.has_meters and len(sums.missing_meters) = 0, sums.energy_wh, null
        ) as energy_wh,
        sums.missing_meters,
        periods.period_start_at,
        periods.period_end_at,
    from sums
    inner join periods using (period_start_at)
    where sums.has_meters or scope = 'site'
)

select * from final
);
