-- One row: the water taken in by the site in a period. basis: site, all of it; potable, the potable
-- part, which is reported apart.
-- water_l: litres, of the water meters that the site file names under water_intake (registers
-- water_volume_l, see counter_amounts); null where reason says why. meters: how many.
-- coverage_ratio: mean of the meters'. grain: see buckets.
create or replace macro intake_water(from_at, to_at, grain := 'window') as table (
with

bases as (
    select
        buckets.*,
        unnest(['site', 'potable']) as basis,
        coalesce(site_versions.minimum_coverage_ratio, 1) as minimum_coverage_ratio,
    from buckets(from_at, to_at, grain) as buckets
    left join site_versions
        on buckets.period_end_at > site_versions.valid_from_at
        and buckets.period_end_at <= site_versions.valid_to_at
),

intakes as (
    select
        period_factors.subject as device,
        period_factors.text as kind,
        period_factors.period_start_at,
    from period_factors(from_at, to_at, grain) as period_factors
    where period_factors.factor = 'water_intake'
),

meters as (
    select
        bases.*,
        intakes.device is not null as is_named,
        if(bases.basis = 'site' or intakes.kind = 'potable', intakes.device, null) as device,
        amounts.amount as water_l,
        coalesce(amounts.coverage_ratio, 0) as coverage_ratio,
        coalesce(amounts.measured_ratio, 0) >= bases.minimum_coverage_ratio as is_complete,
    from bases
    left join intakes using (period_start_at)
    left join counter_amounts(
        from_at, to_at, 'water_volume_l', 'all', grain, components := ''
    ) as amounts
        on intakes.device = amounts.device
        and bases.period_start_at = amounts.period_start_at
),

sums as (
    select
        meters.basis,
        bool_or(meters.is_named) as is_named,
        count(meters.device) as meters,
        coalesce(sum(meters.water_l) filter (meters.device is not null), 0) as water_l,
        avg(meters.coverage_ratio) filter (meters.device is not null) as coverage_ratio,
        list(meters.device order by meters.device) filter (
            meters.device is not null and not meters.is_complete
        ) as missing_meters,
        meters.period_start_at,
        meters.period_end_at,
    from meters
    group by meters.basis, meters.period_start_at, meters.period_end_at
),

final as (
    select
        sums.basis,
        sums.meters,
        if(sums.is_named and sums.missing_meters is null, sums.water_l, null) as water_l,
        -- no potable water is known as well as the other
        coalesce(sums.coverage_ratio, if(sums.is_named, 1, 0)) as coverage_ratio,
        case
            when not sums.is_named then 'water_intake in the site file names no water meter'
            when sums.missing_meters is not null
                then 'too little was read of ' || named(sums.missing_meters)
        end as reason,
        sums.period_start_at,
        sums.period_end_at,
    from sums
)

select * from final
);
