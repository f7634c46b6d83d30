-- One row: the energy reuse factor of a period: E_REUSE / E_DC, 0..1 (ISO/IEC 30134-6, EN
-- 50600-4-6). Reuse earns no PUE: see ere. e_reuse_kwh: heat handed over, of the heat meters whose
-- heat_use is reuse (metered_heat); heat that comes back to cool the data centre is not to be
-- metered there. e_dc_kwh: see known_energy. erf_ratio: null where reason says why.
create or replace macro erf(from_at, to_at, grain := 'window') as table (
with

final as (
    select
        ratios.numerator as e_reuse_kwh,
        ratios.denominator as e_dc_kwh,
        ratios.ratio as erf_ratio,
        ratios.coverage_ratio,
        ratios.reason,
        ratios.period_start_at,
        ratios.period_end_at,
    from energy_ratios(from_at, to_at, grain) as ratios
    where ratios.kpi = 'ERF'
)

select * from final
);
