-- One row: a KPI of a period that is one sum over another: numerator / denominator, the only place
-- where WUE, CUE, ERF, ERE, REF, CER, ITUE, TUE, MLC and ELC are defined; the macros of these names
-- select from here and say what their columns are.
-- kpi, basis: which. numerator, denominator: kWh, L or kgCO2e, null where not known. ratio: null
-- where reason says why. coverage_ratio: the lowest of what enters. detail: what the numerator or
-- denominator is made of, where that differs from site to site. it_category: see known_energy.
create or replace macro energy_ratios(
    from_at, to_at, grain := 'window', category := 'highest'
) as table (
with

totals as (
    select
        known_energy.*,
        known_energy.e_dc_wh / 1000 as e_dc_kwh,
        known_energy.e_it_wh / 1000 as e_it_kwh,
        (known_energy.e_dc_wh - known_energy.carriers_wh) / 1000 as electricity_kwh,
    from known_energy(from_at, to_at, grain, category) as known_energy
),

roles as (
    select *
    from role_energy(
        from_at,
        to_at,
        'generator,on_site_generation,export,cooling,it_fed_cooling,other',
        grain
    )
),

stated as (
    select * from period_factors(from_at, to_at, grain)
),

grid as (
    select * from utility_by_factor(from_at, to_at, grain)
),

heats as (
    select * from metered_heat(from_at, to_at, grain)
),

-- WUE: site, potable, and source, which adds the water of the grid's power plants
waters as (
    select
        intake_water.basis,
        intake_water.water_l,
        intake_water.coverage_ratio,
        intake_water.reason,
        intake_water.period_start_at,
    from intake_water(from_at, to_at, grain) as intake_water
    union all
    select
        'source',
        intake_water.water_l + grid.amount,
        intake_water.coverage_ratio,
        nullif(
            concat_ws(
                '; ',
                intake_water.reason,
                if(
                    grid.amount is null,
                    coalesce(grid.reason, 'grid_water_l_per_kwh is not stated'),
                    null
                )
            ),
            ''
        ),
        intake_water.period_start_at,
    from intake_water(from_at, to_at, grain) as intake_water
    left join grid
        on grid.factor = 'grid_water_l_per_kwh'
        and intake_water.period_start_at = grid.period_start_at
    where intake_water.basis = 'site'
),

-- CUE: what sources on the site deliver, and what comes in otherwise than by wire
own_carbon as (
    select
        roles.period_start_at,
        sum(roles.energy_wh / 1000 * stated.value) as carbon_kg,
        string_agg(
            coalesce(
                roles.reason,
                'carbon_kg_per_kwh of ' || roles.meter_role || ' is not stated'
            ),
            '; ' order by roles.meter_role
        ) filter (roles.reason is not null or stated.value is null) as reason,
    from roles
    left join stated
        on stated.factor = 'carbon_kg_per_kwh'
        and roles.meter_role = stated.subject
        and roles.period_start_at = stated.period_start_at
    where
        roles.meter_role in ('generator', 'on_site_generation')
        and roles.meters > 0
        and (roles.energy_wh is null or roles.energy_wh > 0)
    group by roles.period_start_at
),

carrier_carbon as (
    select
        carrier_energy.period_start_at,
        sum(carrier_energy.carbon_kg) as carbon_kg,
        string_agg(carrier_energy.reason, '; ' order by carrier_energy.carrier) filter (
            carrier_energy.carbon_kg is null
        ) as reason,
    from carrier_energy(from_at, to_at, grain) as carrier_energy
    group by carrier_energy.period_start_at
),

carbons as (
    select
        totals.period_start_at,
        bases.basis,
        grid.amount
        + coalesce(own_carbon.carbon_kg, 0)
        + coalesce(carrier_carbon.carbon_kg, 0) as carbon_kg,
        nullif(
            concat_ws(
                '; ',
                if(
                    grid.amount is null,
                    coalesce(
                        grid.reason,
                        'carbon_kg_per_kwh of grid_' || bases.basis || ' is not stated'
                    ),
                    null
                ),
                own_carbon.reason,
                carrier_carbon.reason
            ),
            ''
        ) as reason,
    from totals
    cross join (select unnest(['location', 'market']) as basis) as bases
    left join grid
        on grid.factor = 'carbon_kg_per_kwh'
        and grid.subject = 'grid_' || bases.basis
        and totals.period_start_at = grid.period_start_at
    left join own_carbon
        on totals.period_start_at = own_carbon.period_start_at
    left join carrier_carbon
        on totals.period_start_at = carrier_carbon.period_start_at
),

-- REF: certificates and contracts for the grid's energy, and what is made and used on the site
on_site as (
    select
        roles.period_start_at,
        any_value(stated.value) as share,
        greatest(
            sum(roles.energy_wh) filter (roles.meter_role = 'on_site_generation')
            - coalesce(sum(roles.energy_wh) filter (roles.meter_role = 'export'), 0),
            0
        ) / 1000 as used_kwh,
        coalesce(
            any_value(roles.meters) filter (roles.meter_role = 'on_site_generation'), 0
        ) as meters,
        string_agg(roles.reason, '; ' order by roles.meter_role) filter (roles.meters > 0)
            as reason,
    from roles
    left join stated
        on stated.factor = 'renewable_ratio'
        and stated.subject = 'on_site'
        and roles.period_start_at = stated.period_start_at
    where roles.meter_role in ('on_site_generation', 'export')
    group by roles.period_start_at
),

renewable_parts as (
    select
        grid.period_start_at,
        grid.subject as part,
        grid.amount as energy_kwh,
        grid.reason,
    from grid
    where grid.factor = 'renewable_ratio'
    union all
    select
        on_site.period_start_at,
        'on_site',
        on_site.used_kwh * on_site.share,
        if(on_site.share is null, 'renewable_ratio of on_site is not stated', on_site.reason),
    from on_site
    where on_site.meters > 0
),

renewables as (
    select
        totals.period_start_at,
        bases.basis,
        if(
            count(renewable_parts.part) = count(renewable_parts.energy_kwh),
            coalesce(sum(renewable_parts.energy_kwh) filter (
                bases.basis in ('total', renewable_parts.part)
            ), 0),
            null
        ) as energy_kwh,
        if(
            count(renewable_parts.part) = 0,
            'renewable_ratio is not stated',
            string_agg(renewable_parts.reason, '; ' order by renewable_parts.part)
        ) as reason,
    from totals
    cross join (select unnest(['total', 'goo', 'ppa', 'on_site']) as basis) as bases
    left join renewable_parts using (period_start_at)
    group by totals.period_start_at, bases.basis
),

-- cooling: its electricity, and the heat that it removes
cooling as (
    select
        roles.period_start_at,
        sum(roles.energy_wh) / 1000 as energy_kwh,
        min(roles.coverage_ratio) filter (roles.meters > 0) as coverage_ratio,
        string_agg(roles.reason, '; ' order by roles.meter_role) filter (
            roles.meters > 0 or roles.meter_role = 'cooling'
        ) as reason,
    from roles
    where roles.meter_role in ('cooling', 'it_fed_cooling')
    group by roles.period_start_at
),

room_heats as (
    select
        unit_heat.period_start_at,
        if(count(unit_heat.heat_wh) = count(*), sum(unit_heat.heat_wh), null) as heat_wh,
        avg(unit_heat.coverage_ratio) as coverage_ratio,
        string_agg(unit_heat.reason, '; ' order by unit_heat.device) as reason,
    from unit_heat(from_at, to_at, grain) as unit_heat
    where unit_heat.device_role in ('cdu', 'air_handler')
    group by unit_heat.period_start_at
),

removed as (
    select
        heats.period_start_at,
        if(heats.meters > 0 or room_heats.period_start_at is null, 'heat meters', 'units')
            as source,
        if(source = 'heat meters', heats.heat_wh, room_heats.heat_wh) / 1000 as heat_kwh,
        if(source = 'heat meters', heats.coverage_ratio, room_heats.coverage_ratio)
            as coverage_ratio,
        if(source = 'heat meters', heats.reason, room_heats.reason) as reason,
    from heats
    left join room_heats using (period_start_at)
    where heats.use = 'plant'
),

others as (
    select * from roles where roles.meter_role = 'other'
),

reused as (
    select * from heats where heats.use = 'reuse'
),

chips as (
    select * from compute_energy(from_at, to_at, grain)
),

ratios as (
    select
        'WUE' as kpi,
        waters.basis,
        waters.water_l as numerator,
        totals.e_it_kwh as denominator,
        least(waters.coverage_ratio, totals.e_it_coverage_ratio) as coverage_ratio,
        concat_ws('; ', waters.reason, totals.e_it_reason) as reason,
        null as detail,
        totals.period_start_at,
    from totals
    inner join waters using (period_start_at)
    union all
    select
        'CUE',
        carbons.basis,
        carbons.carbon_kg,
        totals.e_it_kwh,
        least(totals.e_dc_coverage_ratio, totals.e_it_coverage_ratio),
        concat_ws('; ', carbons.reason, totals.e_it_reason),
        null,
        totals.period_start_at,
    from totals
    inner join carbons using (period_start_at)
    union all
    select
        'ERF',
        '',
        reused.heat_wh / 1000,
        totals.e_dc_kwh,
        least(reused.coverage_ratio, totals.e_dc_coverage_ratio),
        concat_ws('; ', reused.reason, totals.e_dc_reason),
        null,
        totals.period_start_at,
    from totals
    inner join reused using (period_start_at)
    union all
    select
        'ERE',
        '',
        totals.e_dc_kwh - reused.heat_wh / 1000,
        totals.e_it_kwh,
        least(
            reused.coverage_ratio, totals.e_dc_coverage_ratio, totals.e_it_coverage_ratio
        ),
        concat_ws('; ', reused.reason, totals.e_dc_reason, totals.e_it_reason),
        null,
        totals.period_start_at,
    from totals
    inner join reused using (period_start_at)
    union all
    select
        'REF',
        renewables.basis,
        renewables.energy_kwh,
        totals.e_dc_kwh,
        totals.e_dc_coverage_ratio,
        concat_ws('; ', renewables.reason, totals.e_dc_reason),
        null,
        totals.period_start_at,
    from totals
    inner join renewables using (period_start_at)
    union all
    select
        'CER',
        '',
        removed.heat_kwh,
        cooling.energy_kwh,
        least(removed.coverage_ratio, cooling.coverage_ratio),
        concat_ws('; ', removed.reason, cooling.reason),
        if(removed.source = 'units', 'heat of CDUs and air handlers', 'heat meters'),
        cooling.period_start_at,
    from removed
    inner join cooling using (period_start_at)
    union all
    select
        'ITUE',
        '',
        totals.e_it_kwh,
        chips.energy_wh / 1000,
        least(totals.e_it_coverage_ratio, coalesce(chips.coverage_ratio, 0)),
        concat_ws('; ', chips.reason, totals.e_it_reason),
        chips.denominator,
        totals.period_start_at,
    from totals
    inner join chips using (period_start_at)
    union all
    select
        'TUE',
        '',
        totals.e_dc_kwh,
        chips.energy_wh / 1000,
        least(totals.e_dc_coverage_ratio, coalesce(chips.coverage_ratio, 0)),
        concat_ws('; ', chips.reason, totals.e_dc_reason),
        chips.denominator,
        totals.period_start_at,
    from totals
    inner join chips using (period_start_at)
    union all
    select
        'MLC',
        '',
        cooling.energy_kwh,
        totals.e_it_kwh,
        least(cooling.coverage_ratio, totals.e_it_coverage_ratio),
        concat_ws('; ', cooling.reason, totals.e_it_reason),
        null,
        totals.period_start_at,
    from totals
    inner join cooling using (period_start_at)
    union all
    -- lost, over what the electrical path takes in
    select
        'ELC',
        '',
        totals.electricity_kwh - cooling.energy_kwh - others.energy_wh / 1000 - totals.e_it_kwh,
        totals.electricity_kwh - cooling.energy_kwh - others.energy_wh / 1000,
        least(
            cooling.coverage_ratio,
            others.coverage_ratio,
            totals.e_dc_coverage_ratio,
            totals.e_it_coverage_ratio
        ),
        concat_ws(
            '; ', cooling.reason, others.reason, totals.e_dc_reason, totals.e_it_reason
        ),
        null,
        totals.period_start_at,
    from totals
    inner join cooling using (period_start_at)
    inner join others using (period_start_at)
),

final as (
    select
        ratios.kpi,
        ratios.basis,
        totals.it_category,
        ratios.numerator,
        ratios.denominator,
        if(ratios.reason = '', ratios.numerator / nullif(ratios.denominator, 0), null) as ratio,
        coalesce(ratios.coverage_ratio, 0) as coverage_ratio,
        if(
            ratios.reason = '' and ratios.denominator = 0,
            'the denominator is 0',
            nullif(ratios.reason, '')
        ) as reason,
        ratios.detail,
        totals.period_start_at,
        totals.period_end_at,
    from ratios
    inner join totals using (period_start_at)
)

select * from final
);
