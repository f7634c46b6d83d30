-- One row: an hour of the window, in the site's time, and a category whose PUE is under 1 by more
-- than its bands: IT cannot use more than the data centre takes, so a meter is wrong.
create or replace macro pue_is_at_least_one(from_at, to_at) as table (
with

ratios as (
    select * from pue(from_at, to_at, 'hour')
),

final as (
    select *
    from ratios
    where
        ratios.pue_ratio
        + ratios.accuracy_band_ratio
        + coalesce(ratios.resolution_band_ratio, 0)
        < 1
)

select * from final
);
