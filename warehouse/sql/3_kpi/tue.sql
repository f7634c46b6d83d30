-- One row: the total power usage effectiveness of a period: E_DC over the energy of the chips, ITUE
-- x PUE: a fan moved from the IT to the cooling leaves it as it is (Patterson et al., ISC 2013).
-- denominator, e_compute_kwh: which chips, and their energy, see compute_energy. e_dc_kwh: see
-- known_energy. tue_ratio: null where reason says why.
create or replace macro tue(from_at, to_at, grain := 'window') as table (
with

final as (
    select
        ratios.detail as denominator,
        ratios.numerator as e_dc_kwh,
        ratios.denominator as e_compute_kwh,
        ratios.ratio as tue_ratio,
        ratios.coverage_ratio,
        ratios.reason,
        ratios.period_start_at,
        ratios.period_end_at,
    from energy_ratios(from_at, to_at, grain) as ratios
    where ratios.kpi = 'TUE'
)

select * from final
);
