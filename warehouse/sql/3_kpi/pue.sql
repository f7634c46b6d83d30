-- One row: the power usage effectiveness of a period in one category: E_DC / E_IT, a ratio of the
-- two energies' sums over the period, never a mean of ratios (ISO/IEC 30134-2:2026, EN 50600-4-2).
-- category: where IT energy is metered: 1 UPS output, 2 PDU output, 3 IT equipment input; asked
-- without one, a row for each. name: PUE for 12 continuous months, else iPUE (interim).
-- e_dc_kwh, e_it_kwh: kWh; e_carriers_kwh: of e_dc_kwh, fuels and district cooling by the weights
-- that the site states. pue_ratio: null where `reason` says why there is none. coverage_ratio:
-- see boundary_energy, the lower of the two. accuracy_band_ratio, resolution_band_ratio: PUE is
-- known to plus or minus these, by the meters' accuracy classes (see class_error_ratio), and by
-- register steps and edges. missing_meters: whose energy is not known. interval_s: length of the
-- period. basis: see energy.
create or replace macro pue(
    from_at, to_at, grain := 'window', category := 'all', basis := 'roll-ups'
) as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

totals as (
    select *
    from boundary_energy(from_at, to_at, grain, coalesce(category::varchar, 'all'), basis)
),

site as (
    select coalesce(any_value(current_site.time_zone), 'UTC') as time_zone from current_site
),

categories as (
    select
        unnest(
            if(
                coalesce(category::varchar, 'all') = 'all',
                [1, 2, 3],
                [try_cast(category::varchar as integer)]
            )
        ) as category
),

sums as (
    select
        categories.category,
        coalesce(dc.boundary, it.boundary) as boundary,
        dc.energy_wh as dc_wh,
        it.energy_wh as it_wh,
        dc.carriers_wh,
        dc.carriers_reason,
        dc.accuracy_wh / dc.energy_wh as dc_accuracy_ratio,
        it.accuracy_wh / it.energy_wh as it_accuracy_ratio,
        dc.limit_wh / dc.energy_wh as dc_limit_ratio,
        it.limit_wh / it.energy_wh as it_limit_ratio,
        dc.resolution_wh / dc.energy_wh as dc_resolution_ratio,
        it.resolution_wh / it.energy_wh as it_resolution_ratio,
        least(coalesce(dc.coverage_ratio, 0), coalesce(it.coverage_ratio, 0)) as coverage_ratio,
        coalesce(dc.minimum_coverage_ratio, 1) as minimum_coverage_ratio,
        list_sort(list_distinct(
            coalesce(dc.missing_meters, []) || coalesce(it.missing_meters, [])
        )) as missing_meters,
        list_distinct(coalesce(dc.empty_roles, []) || coalesce(it.empty_roles, [])) as empty_roles,
        dc.total is not null as has_dc,
        it.total is not null as has_it,
        periods.period_start_at,
        periods.period_end_at,
    from periods
    cross join categories
    left join totals as dc
        on periods.period_start_at = dc.period_start_at
        and dc.total = 'e_dc'
    left join totals as it
        on periods.period_start_at = it.period_start_at
        and it.total = 'e_it'
        and categories.category = it.category
),

explained as (
    select
        sums.*,
        nullif(
            concat_ws(
                '; ',
                if(not sums.has_dc, 'the site has no boundary with an e_dc in this period', null),
                if(
                    sums.has_dc and not sums.has_it,
                    'the boundary has no e_it of category ' || sums.category,
                    null
                ),
                if(
                    len(sums.empty_roles) > 0,
                    'no meter has the role ' || array_to_string(sums.empty_roles, ', '),
                    null
                ),
                if(
                    len(sums.missing_meters) > 0,
                    len(sums.missing_meters) || ' of the meters gave too little: '
                    || array_to_string(sums.missing_meters[:3], ', ')
                    || if(len(sums.missing_meters) > 3, ', ...', ''),
                    null
                ),
                if(
                    sums.has_it
                    and len(sums.empty_roles) = 0
                    and sums.coverage_ratio < sums.minimum_coverage_ratio,
                    'coverage ' || round(sums.coverage_ratio, 4)
                    || ' is under the site''s minimum of ' || sums.minimum_coverage_ratio,
                    null
                ),
                sums.carriers_reason,
                if(sums.it_wh <= 0, 'the IT energy is not above 0', null)
            ),
            ''
        ) as reason,
    from sums
),

ratios as (
    select
        explained.*,
        if(explained.reason is null, explained.dc_wh / explained.it_wh, null) as pue_ratio,
    from explained
),

final as (
    select
        ratios.boundary,
        ratios.category,
        if(
            timezone(site.time_zone, ratios.period_start_at) + interval '1 year'
            = timezone(site.time_zone, ratios.period_end_at),
            'PUE',
            'iPUE'
        ) as name,
        ratios.dc_wh / 1000 as e_dc_kwh,
        ratios.it_wh / 1000 as e_it_kwh,
        ratios.carriers_wh / 1000 as e_carriers_kwh,
        ratios.pue_ratio,
        ratios.pue_ratio * class_error_ratio(
            ratios.dc_accuracy_ratio,
            ratios.dc_limit_ratio,
            ratios.it_accuracy_ratio,
            ratios.it_limit_ratio
        ) as accuracy_band_ratio,
        -- the far end: E_DC at its most over E_IT at its least
        if(
            ratios.it_resolution_ratio < 1,
            ratios.pue_ratio * (ratios.dc_resolution_ratio + ratios.it_resolution_ratio)
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
    cross join site
)

select * from final
);
