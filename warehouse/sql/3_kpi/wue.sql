-- One row: the water usage effectiveness of a period, litres per kWh of IT energy: W_IN / E_IT
-- (ISO/IEC 30134-9, EN 50600-4-9; The Green Grid, White Paper 35, 2011). basis: site, all water
-- taken in by the site; potable, the potable part of it, reported apart (EU 2024/1364); source,
-- site plus the water used where the grid's electricity is made (energy x grid_water_l_per_kwh,
-- hour by hour). water_l: litres, see intake_water. e_it_kwh, it_category: see known_energy.
-- wue_l_per_kwh: null where reason says why. 1 L/kWh = 1 m3/MWh.
create or replace macro wue(
    from_at, to_at, grain := 'window', category := 'highest'
) as table (
with

final as (
    select
        ratios.basis,
        ratios.it_category,
        ratios.numerator as water_l,
        ratios.denominator as e_it_kwh,
        ratios.ratio as wue_l_per_kwh,
        ratios.coverage_ratio,
        ratios.reason,
        ratios.period_start_at,
        ratios.period_end_at,
    from energy_ratios(from_at, to_at, grain, category) as ratios
    where ratios.kpi = 'WUE'
)

select * from final
);
