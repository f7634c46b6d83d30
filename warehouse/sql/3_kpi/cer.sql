-- One row: the cooling efficiency ratio of a period: heat removed over the electricity that the
-- cooling took, kWh/kWh (ISO/IEC 30134-7, EN 50600-4-7). heat_kwh: of the heat meters whose
-- heat_use is plant (metered_heat); where the site has none, of all its CDUs and air handlers
-- (unit_heat); heat_source says which. e_cooling_kwh: meters of the roles cooling and
-- it_fed_cooling. cer_ratio: null where reason says why.
create or replace macro cer(from_at, to_at, grain := 'window') as table (
with

final as (
    select
        ratios.detail as heat_source,
        ratios.numerator as heat_kwh,
        ratios.denominator as e_cooling_kwh,
        ratios.ratio as cer_ratio,
        ratios.coverage_ratio,
        ratios.reason,
        ratios.period_start_at,
        ratios.period_end_at,
    from energy_ratios(from_at, to_at, grain) as ratios
    where ratios.kpi = 'CER'
)

select * from final
);
