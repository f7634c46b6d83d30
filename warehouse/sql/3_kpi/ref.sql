-- One row: the renewable energy factor of a period: E_RES / E_DC, 0..1 (ISO/IEC 30134-3, EN
-- 50600-4-3; parts as in EU 2024/1364). basis: total, and its parts: goo and ppa, the grid's energy
-- x the share that guarantees of origin and power purchase agreements stand for (renewable_ratio in
-- the site file, certificates retired), hour by hour; on_site, what the meters of
-- on_site_generation counted, less what was exported, x its renewable share. A share that is not
-- stated counts as 0, as long as one is. e_res_kwh: numerator. e_dc_kwh: see known_energy.
-- ref_ratio: null where reason says why.
create or replace macro ref(from_at, to_at, grain := 'window') as table (
with

final as (
    select
        ratios.basis,
        ratios.numerator as e_res_kwh,
        ratios.denominator as e_dc_kwh,
        ratios.ratio as ref_ratio,
        ratios.coverage_ratio,
        ratios.reason,
        ratios.period_start_at,
        ratios.period_end_at,
    from energy_ratios(from_at, to_at, grain) as ratios
    where ratios.kpi = 'REF'
)

select * from final
);
