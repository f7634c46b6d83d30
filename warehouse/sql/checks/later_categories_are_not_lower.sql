-- One row: an hour of the window, in the site's time, in which a later category has the lower PUE
-- by more than both bands: what lies between the two metering points would give energy.
create or replace macro later_categories_are_not_lower(from_at, to_at) as table (
with

ratios as (
    select
        pue.*,
        pue.accuracy_band_ratio + coalesce(pue.resolution_band_ratio, 0) as band_ratio,
    from pue(from_at, to_at, 'hour') as pue
    where pue.pue_ratio is not null
),

final as (
    select
        earlier.category as earlier_category,
        later.category as later_category,
        earlier.pue_ratio as earlier_pue_ratio,
        later.pue_ratio as later_pue_ratio,
        earlier.period_start_at,
        earlier.period_end_at,
    from ratios as earlier
    inner join ratios as later
        on earlier.period_start_at = later.period_start_at
        and earlier.category < later.category
    where later.pue_ratio + later.band_ratio < earlier.pue_ratio - earlier.band_ratio
)

select * from final
);
