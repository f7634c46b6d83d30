-- One row: a chiller in a period, or the plant of them all (unit 'plant'): heat over electricity.
-- cop_ratio: heat_kwh / e_kwh, of the sums over the period, never a mean of ratios; kw_per_ton: the
-- same as electric kW per ton of refrigeration (12,000 Btu/h = 3.517 kW): 3.517 / COP. heat_kwh: of
-- a chiller, see unit_heat; of the plant, of the heat meters whose heat_use is plant, else of all
-- chillers. e_kwh: of a chiller, of its own meter, or of one that feeds it alone; of the plant, of
-- the meters of the role cooling that feed chillers, cooling towers or pumps: electric_meters
-- declares which, and what else hangs on them counts. coverage_ratio: the lower of the two. Null
-- where reason says why. grain: see buckets.
create or replace macro chiller_efficiency(from_at, to_at, grain := 'window') as table (
with

wired as (
    select * from plant_meters(from_at, to_at)
),

meter_energy as (
    select * from energy(from_at, to_at, grain, 'cooling,feeder')
),

heats as (
    select *
    from unit_heat(from_at, to_at, grain) as unit_heat
    where unit_heat.device_role = 'chiller'
),

-- of a chiller's meters the nearest: its own before the one that feeds it
own_meters as (
    select
        wired.unit,
        arg_min(wired.meter, wired.steps) as meter,
    from wired
    where
        wired.unit_role = 'chiller'
        and wired.is_alone
    group by wired.unit
),

plant_wired as (
    select distinct wired.meter
    from wired
    where wired.meter_role = 'cooling'
),

metered as (
    select *
    from metered_heat(from_at, to_at, grain) as metered_heat
    where metered_heat.use = 'plant'
),

chiller_rows as (
    select
        heats.device as unit,
        heats.heat_wh,
        heats.coverage_ratio as heat_ratio,
        heats.reason as heat_reason,
        if(own_meters.meter is null, [], [own_meters.meter]) as electric_meters,
        if(meter_energy.is_complete, meter_energy.energy_wh, null) as energy_wh,
        coalesce(meter_energy.coverage_ratio, 0) as energy_ratio,
        case
            when own_meters.meter is null then 'no meter counts ' || heats.device || ' alone'
            when meter_energy.is_complete then null
            else 'too little was read of ' || own_meters.meter
        end as energy_reason,
        heats.period_start_at,
        heats.period_end_at,
    from heats
    left join own_meters
        on heats.device = own_meters.unit
    left join meter_energy
        on own_meters.meter = meter_energy.meter
        and heats.period_start_at = meter_energy.period_start_at
),

plant_heats as (
    select
        heats.period_start_at,
        if(count(heats.heat_wh) = count(*), sum(heats.heat_wh), null) as heat_wh,
        avg(heats.coverage_ratio) as coverage_ratio,
        string_agg(heats.reason, '; ' order by heats.device) as reason,
    from heats
    group by heats.period_start_at
),

plant_energy as (
    select
        meter_energy.period_start_at,
        list(meter_energy.meter order by meter_energy.meter) as electric_meters,
        if(bool_and(meter_energy.is_complete), sum(meter_energy.energy_wh), null) as energy_wh,
        avg(meter_energy.coverage_ratio) as coverage_ratio,
        list(meter_energy.meter order by meter_energy.meter) filter (
            not meter_energy.is_complete
        ) as missing_meters,
    from meter_energy
    inner join plant_wired using (meter)
    group by meter_energy.period_start_at
),

plant_rows as (
    select
        'plant' as unit,
        if(metered.meters > 0, metered.heat_wh, plant_heats.heat_wh) as heat_wh,
        if(metered.meters > 0, metered.coverage_ratio, plant_heats.coverage_ratio) as heat_ratio,
        if(
            metered.meters > 0,
            metered.reason,
            if(plant_heats.period_start_at is null, 'the site has no chiller', plant_heats.reason)
        ) as heat_reason,
        coalesce(plant_energy.electric_meters, []) as electric_meters,
        plant_energy.energy_wh,
        coalesce(plant_energy.coverage_ratio, 0) as energy_ratio,
        case
            when plant_energy.period_start_at is null
                then 'no meter of the role cooling feeds a chiller, cooling tower or pump'
            when len(plant_energy.missing_meters) > 0
                then 'too little was read of ' || named(plant_energy.missing_meters)
        end as energy_reason,
        metered.period_start_at,
        metered.period_end_at,
    from metered
    left join plant_heats using (period_start_at)
    left join plant_energy using (period_start_at)
),

rows_of_both as (
    select * from chiller_rows
    union all by name
    select * from plant_rows
),

explained as (
    select
        rows_of_both.*,
        nullif(
            concat_ws('; ', rows_of_both.heat_reason, rows_of_both.energy_reason),
            ''
        ) as reason,
    from rows_of_both
),

final as (
    select
        explained.unit,
        explained.heat_wh / 1000 as heat_kwh,
        explained.energy_wh / 1000 as e_kwh,
        if(
            explained.reason is null,
            explained.heat_wh / nullif(explained.energy_wh, 0),
            null
        ) as cop_ratio,
        if(
            explained.reason is null,
            3.517 * explained.energy_wh / nullif(explained.heat_wh, 0),
            null
        ) as kw_per_ton,
        explained.electric_meters,
        least(coalesce(explained.heat_ratio, 0), explained.energy_ratio) as coverage_ratio,
        explained.reason,
        explained.period_start_at,
        explained.period_end_at,
    from explained
)

select * from final
);
