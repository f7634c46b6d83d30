-- One row: a KPI of the window: its name, value and unit, the share of the window that was observed
-- for it, why there is no value, and where its definition comes from. Each is a value of a macro of
-- its own, which has the parts it is made of, by period: PUE pue, WUE wue, and so on; of macros
-- with a row a device or hall, the plant's row, the mean over devices (weighted by heat's flow for
-- delta-T) or the worst hall. IT energy is of the highest category that the site's boundary has;
-- PUE is given for each.
create or replace macro kpi(from_at, to_at) as table (
with

definitions as (
    select
        unnest(range(20, 30)) as place,
        unnest(['WUE', 'CUE', 'ERF', 'ERE', 'REF', 'CER', 'ITUE', 'TUE', 'MLC', 'ELC']) as kpi,
        unnest(['L/kWh', 'kgCO2e/kWh', '1', '1', '1', '1', '1', '1', '1', '1']) as unit,
        unnest([
            'ISO/IEC 30134-9',
            'ISO/IEC 30134-8',
            'ISO/IEC 30134-6',
            'The Green Grid WP 29',
            'ISO/IEC 30134-3',
            'ISO/IEC 30134-7',
            'Patterson et al., ISC 2013',
            'Patterson et al., ISC 2013',
            'in the manner of ASHRAE 90.4',
            'in the manner of ASHRAE 90.4'
        ]) as source,
),

ratios as (select * from energy_ratios(from_at, to_at)),

plant as (
    select *
    from chiller_efficiency(from_at, to_at) as chiller_efficiency
    where chiller_efficiency.unit = 'plant'
),

loop_means as (
    select
        loops.loop,
        avg(loops.approach_k) as approach_k,
        coalesce(
            sum(loops.delta_t_k * loops.flow) / sum(loops.flow) filter (
                loops.delta_t_k is not null
            ),
            avg(loops.delta_t_k)
        ) as delta_t_k,
        avg(loops.coverage_ratio) as coverage_ratio,
        min(loops.reason) as reason,
    from loops(from_at, to_at) as loops
    group by loops.loop
),

-- towers, where they are polled; else the chillers' condenser water, which comes from them
tower as (
    select *
    from loop_means
    where
        loop_means.loop in ('water', 'condenser_water')
    order by loop_means.approach_k is null, loop_means.loop = 'condenser_water'
    limit 1
),

secondary as (
    select * from loop_means where loop_means.loop = 'secondary'
),

chilled as (
    select * from loop_means where loop_means.loop = 'chilled_water'
),

free as (select * from free_cooling(from_at, to_at)),

halls as (
    select
        min(air.rci_hi_ratio) as rci_hi_ratio,
        min(air.rci_lo_ratio) as rci_lo_ratio,
        arg_max(air.rti_ratio, abs(air.rti_ratio - 1)) as rti_ratio,
        max(air.shi_ratio) as shi_ratio,
        min(air.hall || ': ' || air.reason) as reason,
    from air(from_at, to_at) as air
),

contract as (select * from demand(from_at, to_at)),

found as (
    select
        10 + pue.category as place,
        pue.name || ' category ' || pue.category as name,
        pue.pue_ratio as value,
        '1' as unit,
        pue.coverage_ratio,
        pue.reason,
        'ISO/IEC 30134-2:2026' as source,
    from pue(from_at, to_at) as pue
    union all
    select
        definitions.place,
        concat_ws(' ', ratios.kpi, nullif(ratios.basis, '')),
        ratios.ratio,
        definitions.unit,
        ratios.coverage_ratio,
        ratios.reason,
        concat_ws(', ', definitions.source, ratios.detail),
    from ratios
    inner join definitions using (kpi)
    where ratios.basis not in ('goo', 'ppa', 'on_site')
    union all
    select
        60,
        'plant COP',
        plant.cop_ratio,
        '1',
        plant.coverage_ratio,
        plant.reason,
        concat_ws(' of ', 'heat / electricity', nullif(named(plant.electric_meters), '')),
    from plant
    union all
    select
        61,
        'plant power per ton',
        plant.kw_per_ton,
        'kW/[ton]',
        plant.coverage_ratio,
        plant.reason,
        '3.517 / COP',
    from plant
    union all
    select
        62,
        'tower approach',
        tower.approach_k,
        'K',
        tower.coverage_ratio,
        if(tower.loop is null, 'no cooling tower and no chiller was read', tower.reason),
        'tower water less wet bulb',
    from (select 1 as one) as always
    left join tower on true
    union all
    select
        63,
        'CDU approach',
        secondary.approach_k,
        'K',
        secondary.coverage_ratio,
        if(secondary.loop is null, 'no CDU was read', secondary.reason),
        'secondary supply less facility supply',
    from (select 1 as one) as always
    left join secondary on true
    union all
    select
        64,
        'CDU delta-T',
        secondary.delta_t_k,
        'K',
        secondary.coverage_ratio,
        if(secondary.loop is null, 'no CDU was read', secondary.reason),
        'return less supply, weighted by flow',
    from (select 1 as one) as always
    left join secondary on true
    union all
    select
        65,
        'chilled water delta-T',
        chilled.delta_t_k,
        'K',
        chilled.coverage_ratio,
        if(chilled.loop is null, 'no chiller was read', chilled.reason),
        'return less supply, weighted by flow',
    from (select 1 as one) as always
    left join chilled on true
    union all
    select
        66 + hours.place,
        'free cooling ' || hours.extent,
        hours.hours,
        'h',
        hours.coverage_ratio,
        hours.reason,
        'compressor load under 2 %, under 50 %, more',
    from (
        select
            unnest(['full', 'partial', 'none']) as extent,
            unnest([free.full_h, free.partial_h, free.none_h]) as hours,
            unnest([0, 1, 2]) as place,
            free.coverage_ratio,
            free.reason,
        from free
    ) as hours
    union all
    select
        70 + hall_ratios.place,
        hall_ratios.name,
        hall_ratios.value,
        '1',
        null,
        if(hall_ratios.value is null, coalesce(halls.reason, 'the site has no hall'), null),
        hall_ratios.source,
    from (
        select
            unnest(['RCI_HI', 'RCI_LO', 'RTI', 'SHI']) as name,
            unnest([
                halls.rci_hi_ratio, halls.rci_lo_ratio, halls.rti_ratio, halls.shi_ratio
            ]) as value,
            unnest([
                'Herrlin 2005, worst hall',
                'Herrlin 2005, worst hall',
                'farthest from 1 of the halls',
                'Sharma et al. 2002, worst hall'
            ]) as source,
            unnest([0, 1, 2, 3]) as place,
        from halls
    ) as hall_ratios
    cross join halls
    union all
    select
        80,
        'demand peak',
        contract.peak_kw,
        'kW',
        contract.coverage_ratio,
        contract.reason,
        'highest tariff period',
    from contract
    union all
    select
        81,
        'demand peak over contract',
        contract.peak_ratio,
        '1',
        contract.coverage_ratio,
        coalesce(
            contract.reason,
            if(contract.limit_kw is null, 'demand_limit_kw is not stated', null)
        ),
        'demand_limit_kw',
    from contract
    union all
    select
        82,
        'load factor',
        contract.load_factor_ratio,
        '1',
        contract.coverage_ratio,
        contract.reason,
        'mean over peak',
    from contract
    union all
    select
        83,
        'demand forecast',
        contract.forecast_kw,
        'kW',
        null,
        if(
            contract.forecast_kw is null,
            'the utility''s power was not read at the end of the window',
            null
        ),
        'present tariff period at the power last read',
    from contract
),

final as (
    select
        found.name,
        found.value,
        found.unit,
        found.coverage_ratio,
        found.reason,
        found.source,
    from found
    order by found.place, found.name
)

select * from final
);
