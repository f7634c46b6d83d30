-- One row: how much of a period the plant cooled without its compressors: hours, by quarters of an
-- hour. full_h: the chillers' mean compressor load (compressor_power_ratio, over all chillers,
-- standing ones too) was under full_below; partial_h: under partial_below; none_h: the rest. The
-- two limits are the house's, 0.02 and 0.5 unless asked otherwise. unknown_h: a chiller was not
-- read. saved_ratio: 1 less the mean compressor load over the known hours. coverage_ratio: known
-- share of the period. reason: why nothing is known. A plant with no load counts as free.
create or replace macro free_cooling(
    from_at, to_at, grain := 'window', full_below := 0.02, partial_below := 0.5
) as table (
with

quarters as (
    select
        periods.period_start_at,
        periods.period_end_at,
        cuts.period_start_at as quarter_start_at,
        cuts.period_end_at as quarter_end_at,
    from buckets(from_at, to_at, grain) as periods
    inner join buckets(from_at, to_at, '15 minutes') as cuts
        on cuts.period_start_at < periods.period_end_at
        and cuts.period_end_at > periods.period_start_at
),

loads as (
    select *
    from gauge_integrals(
        from_at,
        to_at,
        'compressor_power_ratio',
        'chiller',
        '15 minutes',
        components := ''
    )
),

chillers as (
    select
        quarters.*,
        device_versions.device,
    from quarters
    left join device_versions
        on device_versions.device_role = 'chiller'
        and quarters.quarter_end_at > device_versions.valid_from_at
        and quarters.quarter_end_at <= device_versions.valid_to_at
),

states as (
    select
        chillers.period_start_at,
        chillers.period_end_at,
        greatest(chillers.quarter_start_at, chillers.period_start_at) as start_at,
        least(chillers.quarter_end_at, chillers.period_end_at) as end_at,
        count(chillers.device) as chillers,
        -- a chiller that was read for most of the quarter is known for it
        if(
            count(chillers.device) > 0
            and count(chillers.device) = count(loads.mean) filter (loads.coverage_ratio > 0.5),
            avg(loads.mean),
            null
        ) as compressor_ratio,
        seconds_between(start_at, end_at) / 3600 as hours,
    from chillers
    left join loads
        on chillers.device = loads.device
        and chillers.quarter_start_at = loads.period_start_at
    group by
        chillers.period_start_at,
        chillers.period_end_at,
        chillers.quarter_start_at,
        chillers.quarter_end_at
),

sums as (
    select
        coalesce(sum(states.hours) filter (states.compressor_ratio < full_below), 0) as full_h,
        coalesce(
            sum(states.hours) filter (
                states.compressor_ratio >= full_below and states.compressor_ratio < partial_below
            ),
            0
        ) as partial_h,
        coalesce(sum(states.hours) filter (states.compressor_ratio >= partial_below), 0)
            as none_h,
        coalesce(sum(states.hours) filter (states.compressor_ratio is null), 0) as unknown_h,
        1 - sum(states.compressor_ratio * states.hours)
        / sum(states.hours) filter (states.compressor_ratio is not null) as saved_ratio,
        coalesce(sum(states.hours) filter (states.compressor_ratio is not null), 0)
        / sum(states.hours) as coverage_ratio,
        max(states.chillers) as chillers,
        states.period_start_at,
        states.period_end_at,
    from states
    group by states.period_start_at, states.period_end_at
),

final as (
    select
        if(sums.coverage_ratio > 0, sums.full_h, null) as full_h,
        if(sums.coverage_ratio > 0, sums.partial_h, null) as partial_h,
        if(sums.coverage_ratio > 0, sums.none_h, null) as none_h,
        sums.unknown_h,
        sums.saved_ratio,
        sums.coverage_ratio,
        case
            when sums.chillers = 0 then 'the site has no chiller'
            when sums.coverage_ratio = 0
                then 'no compressor_power_ratio of every chiller was read'
        end as reason,
        sums.period_start_at,
        sums.period_end_at,
    from sums
)

select * from final
);
