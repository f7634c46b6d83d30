-- One row: the partial PUE of a hall in a period, in one category: pPUE = E_zone / E_IT of the
-- hall (EN 50600-4-2, annex C; ISO/IEC 30134-2:2026, clause 9), its zone being what its meters
-- count.
-- e_supply_kwh: IT power that enters the hall, by the meters that stand in it of the first of the
-- roles ups_output, pdu_output, it_input that it has (supply_role): losses before them are not the
-- hall's. e_cooling_kwh, e_other_kwh: meters of the roles cooling and other in the hall; cooling
-- fed from IT power is in e_supply_kwh, and out of e_it_kwh where the boundary takes it off.
-- shared: 'left out', or 'by IT energy': what of E_DC no hall with IT counts (plant, losses
-- upstream) is shared out as IT energy is (e_shared_kwh), so that the halls add up to the site.
-- ppue_ratio: null where reason says why. Bands, coverage_ratio, missing_meters: see pue.
create or replace macro ppue(
    from_at,
    to_at,
    grain := 'window',
    category := 'all',
    shared := 'left out',
    basis := 'roll-ups'
) as table (
with

rule as (
    select
        if(
            shared in ('left out', 'by IT energy'),
            shared,
            error('there is no rule ' || shared || '; ask for left out, or by IT energy')
        ) as shared_rule,
),

periods as (
    select * from buckets(from_at, to_at, grain)
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
        sites.period_start_at,
        boundary_versions.category,
        boundary_versions.meter_role,
        boundary_versions.sign,
    from sites
    inner join boundary_versions
        on sites.boundary = boundary_versions.boundary
        and sites.period_end_at > boundary_versions.valid_from_at
        and sites.period_end_at <= boundary_versions.valid_to_at
    where
        boundary_versions.total = 'e_it'
        and category::varchar in ('all', boundary_versions.category::varchar)
),

meter_energy as materialized (
    select
        energy.*,
        energy.accuracy_class / 100 * abs(energy.energy_wh) as limit_wh,
        power(limit_wh, 2) as variance_wh2,
    from energy(
        from_at,
        to_at,
        grain,
        (
            select
                concat_ws(
                    ',',
                    'ups_output,pdu_output,it_input,cooling,other',
                    string_agg(distinct asked.meter_role, ',')
                )
            from boundary_versions as asked
            where asked.total = 'e_it'
        ),
        basis
    ) as energy
),

-- the IT energy of each hall; where a meter stands in none, '' is its hall
it_sums as (
    select
        meter_energy.hall,
        terms.category,
        sum(terms.sign * meter_energy.energy_wh) as energy_wh,
        sum(meter_energy.variance_wh2) as variance_wh2,
        sum(meter_energy.limit_wh) as limit_wh,
        sum(meter_energy.resolution_wh) as resolution_wh,
        avg(meter_energy.coverage_ratio) as coverage_ratio,
        list(meter_energy.meter) filter (not meter_energy.is_complete) as missing_meters,
        bool_or(terms.sign > 0) as has_it,
        meter_energy.period_start_at,
    from meter_energy
    inner join terms using (period_start_at, meter_role)
    group by meter_energy.hall, terms.category, meter_energy.period_start_at
),

halls as (
    select it_sums.*
    from it_sums
    where
        it_sums.has_it
        and it_sums.hall <> ''
),

role_order as (
    select * from (values ('ups_output', 1), ('pdu_output', 2), ('it_input', 3)) as t (role, place)
),

supply_roles as (
    select
        meter_energy.hall,
        meter_energy.period_start_at,
        arg_min(role_order.role, role_order.place) as supply_role,
    from meter_energy
    inner join role_order
        on meter_energy.meter_role = role_order.role
    group by meter_energy.hall, meter_energy.period_start_at
),

zones as (
    select
        meter_energy.hall,
        any_value(supply_roles.supply_role) as supply_role,
        sum(meter_energy.energy_wh) filter (meter_energy.meter_role = supply_roles.supply_role)
            as supply_wh,
        coalesce(sum(meter_energy.energy_wh) filter (meter_energy.meter_role = 'cooling'), 0)
            as cooling_wh,
        coalesce(sum(meter_energy.energy_wh) filter (meter_energy.meter_role = 'other'), 0)
            as other_wh,
        sum(meter_energy.variance_wh2) as variance_wh2,
        sum(meter_energy.limit_wh) as limit_wh,
        sum(meter_energy.resolution_wh) as resolution_wh,
        avg(meter_energy.coverage_ratio) as coverage_ratio,
        list(meter_energy.meter) filter (not meter_energy.is_complete) as missing_meters,
        meter_energy.period_start_at,
    from meter_energy
    inner join supply_roles using (hall, period_start_at)
    where meter_energy.meter_role in (supply_roles.supply_role, 'cooling', 'other')
    group by meter_energy.hall, meter_energy.period_start_at
),

site_totals as (
    select
        boundary_energy.period_start_at,
        boundary_energy.energy_wh,
        len(boundary_energy.missing_meters) = 0
        and len(boundary_energy.empty_roles) = 0
        and boundary_energy.carriers_reason is null as is_known,
    from boundary_energy(from_at, to_at, grain, '0', basis) as boundary_energy
    where boundary_energy.total = 'e_dc'
),

unplaced as (
    select
        it_sums.category,
        it_sums.period_start_at,
    from it_sums
    where
        it_sums.has_it
        and it_sums.hall = ''
),

-- what no hall counts, shared out as their IT energy is
shares as (
    select
        halls.hall,
        halls.category,
        halls.period_start_at,
        (
            any_value(site_totals.energy_wh) over each_period
            - sum(zones.supply_wh + zones.cooling_wh + zones.other_wh) over each_period
        )
        * halls.energy_wh / sum(halls.energy_wh) over each_period as share_wh,
        case
            when not coalesce(site_totals.is_known, false) then 'E_DC of the site is not known'
            when unplaced.category is not null
                then 'meters of IT energy stand in no hall, so it cannot be shared out by it'
        end as reason,
    from halls
    inner join zones using (hall, period_start_at)
    left join site_totals using (period_start_at)
    left join unplaced using (category, period_start_at)
    window each_period as (partition by halls.category, halls.period_start_at)
),

sums as (
    select
        sites.boundary,
        halls.hall,
        halls.category,
        halls.energy_wh as it_wh,
        halls.variance_wh2 as it_variance_wh2,
        halls.limit_wh as it_limit_wh,
        halls.resolution_wh as it_resolution_wh,
        zones.* exclude (hall, coverage_ratio, missing_meters, period_start_at),
        rule.shared_rule,
        if(rule.shared_rule = 'left out', 0, shares.share_wh) as shared_wh,
        zones.supply_wh + zones.cooling_wh + zones.other_wh + shared_wh as zone_wh,
        least(zones.coverage_ratio, halls.coverage_ratio) as coverage_ratio,
        sites.minimum_coverage_ratio,
        list_sort(list_distinct(
            coalesce(halls.missing_meters, []) || coalesce(zones.missing_meters, [])
        )) as missing_meters,
        if(rule.shared_rule = 'left out', null, shares.reason) as shared_reason,
        sites.period_start_at,
        sites.period_end_at,
    from halls
    inner join sites using (period_start_at)
    inner join zones using (hall, period_start_at)
    cross join rule
    left join shares using (hall, category, period_start_at)
),

explained as (
    select
        sums.*,
        nullif(
            concat_ws(
                '; ',
                if(
                    len(sums.missing_meters) > 0,
                    'too little was read of ' || named(sums.missing_meters),
                    null
                ),
                if(
                    sums.coverage_ratio < sums.minimum_coverage_ratio,
                    'coverage ' || round(sums.coverage_ratio, 4)
                    || ' is under the site''s minimum of ' || sums.minimum_coverage_ratio,
                    null
                ),
                if(
                    sums.supply_wh < sums.it_wh - sums.resolution_wh - sums.it_resolution_wh
                    - 3 * sqrt(sums.variance_wh2 + sums.it_variance_wh2),
                    'the hall''s meters of the role ' || sums.supply_role
                    || ' count less than its IT takes: part of it is fed past them',
                    null
                ),
                if(sums.it_wh <= 0, 'the IT energy is not above 0', null),
                sums.shared_reason
            ),
            ''
        ) as reason,
    from sums
),

ratios as (
    select
        explained.*,
        if(explained.reason is null, explained.zone_wh / explained.it_wh, null) as ppue_ratio,
        explained.it_resolution_wh / explained.it_wh as it_resolution_ratio,
    from explained
),

final as (
    select
        ratios.boundary,
        ratios.hall,
        ratios.category,
        ratios.it_wh / 1000 as e_it_kwh,
        ratios.supply_role,
        ratios.supply_wh / 1000 as e_supply_kwh,
        ratios.cooling_wh / 1000 as e_cooling_kwh,
        ratios.other_wh / 1000 as e_other_kwh,
        ratios.shared_rule,
        ratios.shared_wh / 1000 as e_shared_kwh,
        ratios.ppue_ratio,
        ratios.ppue_ratio * class_error_ratio(
            sqrt(ratios.variance_wh2) / ratios.zone_wh,
            ratios.limit_wh / ratios.zone_wh,
            sqrt(ratios.it_variance_wh2) / ratios.it_wh,
            ratios.it_limit_wh / ratios.it_wh
        ) as accuracy_band_ratio,
        if(
            ratios.it_resolution_ratio < 1,
            ratios.ppue_ratio
            * (ratios.resolution_wh / ratios.zone_wh + ratios.it_resolution_ratio)
            / (1 - ratios.it_resolution_ratio),
            null
        ) as resolution_band_ratio,
        ratios.coverage_ratio,
        ratios.missing_meters,
        ratios.reason,
        seconds_between(ratios.period_start_at, ratios.period_end_at) as interval_s,
        ratios.period_start_at,
        ratios.period_end_at,
    from ratios
)

select * from final
);
