-- One row: the IT power usage effectiveness of a period: E_IT over the energy of the chips: what
-- power shelves, fans and converters inside the IT equipment take (Patterson et al., ISC 2013).
-- denominator, e_compute_kwh: which chips, and their energy, see compute_energy; E_IT is of all IT
-- equipment, so ordinary servers, switches and storage count in it. e_it_kwh, it_category: see
-- known_energy. itue_ratio: null where reason says why.
create or replace macro itue(
    from_at, to_at, grain := 'window', category := 'highest'
) as table (
with

final as (
    select
        ratios.detail as denominator,
        ratios.it_category,
        ratios.numerator as e_it_kwh,
        ratios.denominator as e_compute_kwh,
        ratios.ratio as itue_ratio,
        ratios.coverage_ratio,
        ratios.reason,
        ratios.period_start_at,
        ratios.period_end_at,
    from energy_ratios(from_at, to_at, grain, category) as ratios
    where ratios.kpi = 'ITUE'
)

select * from final
);
