-- One row: a period, with E_DC and E_IT as far as they are known for certain.
-- e_dc_wh, e_it_wh: as boundary_energy has them; null where e_dc_reason, e_it_reason says why.
-- carriers_wh: of e_dc_wh, fuels and district cooling.
-- it_category: where IT energy is metered; asked with 'highest', the highest category that the
-- site's boundary has. *_coverage_ratio: see boundary_energy. grain: see buckets.
create or replace macro known_energy(
    from_at, to_at, grain := 'window', category := 'highest'
) as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

asked as (
    select
        if(
            category::varchar = 'highest',
            coalesce(max(boundary_versions.category), 0),
            try_cast(category::varchar as integer)
        ) as it_category,
    from boundary_versions
    where boundary_versions.total = 'e_it'
),

totals as (
    select
        boundary_energy.*,
        nullif(
            concat_ws(
                '; ',
                if(
                    len(boundary_energy.empty_roles) > 0,
                    'no meter has the role ' || named(boundary_energy.empty_roles),
                    null
                ),
                if(
                    len(boundary_energy.missing_meters) > 0,
                    'too little was read of ' || named(boundary_energy.missing_meters),
                    null
                ),
                if(
                    len(boundary_energy.empty_roles) = 0
                    and boundary_energy.coverage_ratio < boundary_energy.minimum_coverage_ratio,
                    'coverage ' || round(boundary_energy.coverage_ratio, 4)
                    || ' is under the site''s minimum of '
                    || boundary_energy.minimum_coverage_ratio,
                    null
                ),
                boundary_energy.carriers_reason,
                if(boundary_energy.energy_wh <= 0, 'the energy is not above 0', null)
            ),
            ''
        ) as reason,
    from boundary_energy(
        from_at, to_at, grain, (select asked.it_category::varchar from asked)
    ) as boundary_energy
),

final as (
    select
        asked.it_category,
        if(dc.reason is null, dc.energy_wh, null) as e_dc_wh,
        if(it.reason is null, it.energy_wh, null) as e_it_wh,
        dc.carriers_wh,
        coalesce(dc.coverage_ratio, 0) as e_dc_coverage_ratio,
        coalesce(it.coverage_ratio, 0) as e_it_coverage_ratio,
        if(
            dc.total is null,
            'e_dc: the site has no boundary',
            'e_dc: ' || dc.reason
        ) as e_dc_reason,
        if(
            it.total is null,
            'e_it: the site''s boundary has no such category of IT energy',
            'e_it: ' || it.reason
        ) as e_it_reason,
        periods.period_start_at,
        periods.period_end_at,
    from periods
    cross join asked
    left join totals as dc
        on periods.period_start_at = dc.period_start_at
        and dc.total = 'e_dc'
    left join totals as it
        on periods.period_start_at = it.period_start_at
        and it.total = 'e_it'
)

select * from final
);
