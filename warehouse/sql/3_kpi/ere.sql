-- One row: the energy reuse effectiveness of a period: (E_DC - E_REUSE) / E_IT = PUE x (1 - ERF)
-- (The Green Grid, White Paper 29, 2010). e_net_kwh: E_DC less the heat handed over, see erf.
-- e_it_kwh, it_category: see known_energy. ere_ratio: null where reason says why.
create or replace macro ere(
    from_at, to_at, grain := 'window', category := 'highest'
) as table (
with

final as (
    select
        ratios.it_category,
        ratios.numerator as e_net_kwh,
        ratios.denominator as e_it_kwh,
        ratios.ratio as ere_ratio,
        ratios.coverage_ratio,
        ratios.reason,
        ratios.period_start_at,
        ratios.period_end_at,
    from energy_ratios(from_at, to_at, grain, category) as ratios
    where ratios.kpi = 'ERE'
)

select * from final
);
