-- One row: an energy carrier other than electricity in a period: each fuel of which some was used
-- (fuel_used in the site's tables), and district cooling where a heat meter measures it.
-- energy_kwh: of fuel, units x fuel_kwh_per_unit, a row's amount being spread evenly over its time;
-- of district cooling, heat. weighted_kwh: energy x source_energy_ratio, what it counts for in
-- E_DC where a kWh of electricity counts for 1 (ISO/IEC 30134-2; EN 50600-4-2). carbon_kg: energy x
-- carbon_kg_per_kwh, kgCO2e. Each null where reason says why. grain: see buckets.
create or replace macro carrier_energy(from_at, to_at, grain := 'window') as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

stated as (
    select * from period_factors(from_at, to_at, grain)
),

fuels as (
    select
        used.subject as carrier,
        sum(
            used.value / used.whole_s * seconds_between(
                greatest(used.start_at, periods.period_start_at),
                least(used.end_at, periods.period_end_at)
            )
        ) as units,
        periods.period_start_at,
        periods.period_end_at,
    from periods
    inner join factor_values(from_at, to_at) as used
        on used.start_at < periods.period_end_at
        and used.end_at > periods.period_start_at
    where used.factor = 'fuel_used'
    group by used.subject, periods.period_start_at, periods.period_end_at
),

carriers as (
    select
        fuels.carrier,
        fuels.units * contents.value as energy_kwh,
        if(
            contents.value is null,
            'fuel_kwh_per_unit of ' || fuels.carrier || ' is not stated',
            null
        ) as energy_reason,
        fuels.period_start_at,
        fuels.period_end_at,
    from fuels
    left join stated as contents
        on fuels.carrier = contents.subject
        and contents.factor = 'fuel_kwh_per_unit'
        and fuels.period_start_at = contents.period_start_at
    union all
    select
        'district_cooling',
        heat.heat_wh / 1000,
        heat.reason,
        heat.period_start_at,
        heat.period_end_at,
    from metered_heat(from_at, to_at, grain) as heat
    where
        heat.use = 'district_cooling'
        and heat.meters > 0
),

final as (
    select
        carriers.carrier,
        carriers.energy_kwh,
        carriers.energy_kwh * weights.value as weighted_kwh,
        carriers.energy_kwh * carbon.value as carbon_kg,
        nullif(
            concat_ws(
                '; ',
                carriers.energy_reason,
                if(
                    weights.value is null,
                    'source_energy_ratio of ' || carriers.carrier || ' is not stated',
                    null
                ),
                if(
                    carbon.value is null,
                    'carbon_kg_per_kwh of ' || carriers.carrier || ' is not stated',
                    null
                )
            ),
            ''
        ) as reason,
        carriers.period_start_at,
        carriers.period_end_at,
    from carriers
    left join stated as weights
        on carriers.carrier = weights.subject
        and weights.factor = 'source_energy_ratio'
        and carriers.period_start_at = weights.period_start_at
    left join stated as carbon
        on carriers.carrier = carbon.subject
        and carbon.factor = 'carbon_kg_per_kwh'
        and carriers.period_start_at = carbon.period_start_at
)

select * from final
);
