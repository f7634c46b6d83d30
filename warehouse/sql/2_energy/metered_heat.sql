-- One row: the heat that the site's heat meters of one use measured in a period. use: as stated
-- under heat_use in the site file: plant (all heat the cooling removes), reuse (heat given to
-- others) or district_cooling (heat that a network takes up).
-- heat_wh: thermal, rises of the registers cooling_energy_wh (see counter_amounts); null where
-- reason says why. coverage_ratio: mean of the meters'. grain: see buckets.
create or replace macro metered_heat(from_at, to_at, grain := 'window') as table (
with

asked as (
    select
        periods.*,
        uses.use,
    from buckets(from_at, to_at, grain) as periods
    cross join (select unnest(['plant', 'reuse', 'district_cooling']) as use) as uses
),

stated as (
    select
        period_factors.subject as device,
        period_factors.text as use,
        period_factors.period_start_at,
    from period_factors(from_at, to_at, grain) as period_factors
    where period_factors.factor = 'heat_use'
),

sites as (
    select
        asked.*,
        coalesce(site_versions.minimum_coverage_ratio, 1) as minimum_coverage_ratio,
    from asked
    left join site_versions
        on asked.period_end_at > site_versions.valid_from_at
        and asked.period_end_at <= site_versions.valid_to_at
),

meters as (
    select
        sites.*,
        stated.device,
        amounts.amount as heat_wh,
        coalesce(amounts.coverage_ratio, 0) as coverage_ratio,
        coalesce(amounts.measured_ratio, 0) >= sites.minimum_coverage_ratio as is_complete,
    from sites
    left join stated using (use, period_start_at)
    left join counter_amounts(
        from_at,
        to_at,
        'cooling_energy_wh',
        -- only of devices that are as those stated: none, and nothing is read
        (
            select coalesce(string_agg(distinct device_versions.device_role, ','), '')
            from device_versions
            inner join factor_versions
                on factor_versions.factor = 'heat_use'
                and device_versions.device = factor_versions.subject
        ),
        grain,
        components := ''
    ) as amounts
        on stated.device = amounts.device
        and sites.period_start_at = amounts.period_start_at
),

final as (
    select
        meters.use,
        count(meters.device) as meters,
        if(bool_and(meters.is_complete), sum(meters.heat_wh), null) as heat_wh,
        avg(meters.coverage_ratio) as coverage_ratio,
        case
            when count(meters.device) = 0
                then 'heat_use in the site file names no heat meter of ' || meters.use
            when not bool_and(meters.is_complete)
                then 'too little was read of ' || named(
                    list(meters.device order by meters.device) filter (not meters.is_complete)
                )
        end as reason,
        meters.period_start_at,
        meters.period_end_at,
    from meters
    group by meters.use, meters.period_start_at, meters.period_end_at
)

select * from final
);
