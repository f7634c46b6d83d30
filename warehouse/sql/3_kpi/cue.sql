-- One row: the carbon usage effectiveness of a period, kgCO2e per kWh of IT energy: the sum of each
-- energy that comes in x its carbon factor, over E_IT (ISO/IEC 30134-8, EN 50600-4-8). basis:
-- location or market, by which of the grid's two factors (GHG Protocol, Scope 2). carbon_kg: the
-- grid's energy x factor hour by hour (utility_by_factor); what generators and other sources on the
-- site deliver x their factors; fuels and district cooling (carrier_energy). Energy given back
-- earns nothing. e_it_kwh, it_category: see known_energy. cue_kg_per_kwh: null where reason says
-- why.
create or replace macro cue(
    from_at, to_at, grain := 'window', category := 'highest'
) as table (
with

final as (
    select
        ratios.basis,
        ratios.it_category,
        ratios.numerator as carbon_kg,
        ratios.denominator as e_it_kwh,
        ratios.ratio as cue_kg_per_kwh,
        ratios.coverage_ratio,
        ratios.reason,
        ratios.period_start_at,
        ratios.period_end_at,
    from energy_ratios(from_at, to_at, grain, category) as ratios
    where ratios.kpi = 'CUE'
)

select * from final
);
