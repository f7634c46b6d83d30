-- One row: the polls of a device that were scheduled in one hour (UTC), and what became of them.
-- scheduled = stored + failed + dropped. stored: read in whole or in part; partial is among them.
-- points_*: readings that all its polls should, and that they did give. latency_*_s: seconds from
-- request to answer, median and 99th percentile. last_error: why the latest poll that gave less
-- than all did.
create or replace view ledger as (
with

hours as (
    select
        scheduled_polls.device,
        count(*) as scheduled,
        count(*) filter (scheduled_polls.is_stored) as stored,
        count(*) filter (scheduled_polls.outcome = 'partial') as partial,
        count(*) filter (scheduled_polls.is_failed) as failed,
        count(*) filter (scheduled_polls.is_dropped) as dropped,
        sum(scheduled_polls.points_expected)::bigint as points_expected,
        sum(scheduled_polls.points_good)::bigint as points_good,
        quantile_cont(scheduled_polls.latency_s, 0.5) as latency_p50_s,
        quantile_cont(scheduled_polls.latency_s, 0.99) as latency_p99_s,
        arg_max(scheduled_polls.error, scheduled_polls.scheduled_at) filter (
            scheduled_polls.error is not null
        ) as last_error,
        time_bucket(interval '1 hour', scheduled_polls.scheduled_at) as hour_start_at,
    from scheduled_polls
    group by scheduled_polls.device, hour_start_at
),

final as (
    select
        hours.*,
        hours.stored / hours.scheduled as stored_ratio,
    from hours
)

select * from final
);
