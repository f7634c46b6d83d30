-- One row: the mechanical or the electrical load component of a period as measured, in the manner
-- of ASHRAE 90.4, whose design values are for stated loads and climates. component: mlc, E_COOLING
-- / E_IT; elc, what is lost over what enters the electrical path: 1 - E_IT / E_IN, with E_IN = E_DC
-- - E_COOLING - E_OTHER, so that PUE = mlc + 1 / (1 - elc) + E_OTHER / E_IT. Losses on the way to
-- cooling and lighting are in elc. E_COOLING: meters of the roles cooling and it_fed_cooling,
-- E_OTHER: other. numerator_kwh, denominator_kwh: of the component. E_DC, E_IT, it_category: see
-- known_energy. ratio: null where reason says why.
create or replace macro mlc_elc(
    from_at, to_at, grain := 'window', category := 'highest'
) as table (
with

final as (
    select
        lower(ratios.kpi) as component,
        ratios.it_category,
        ratios.numerator as numerator_kwh,
        ratios.denominator as denominator_kwh,
        ratios.ratio,
        ratios.coverage_ratio,
        ratios.reason,
        ratios.period_start_at,
        ratios.period_end_at,
    from energy_ratios(from_at, to_at, grain, category) as ratios
    where ratios.kpi in ('MLC', 'ELC')
)

select * from final
);
