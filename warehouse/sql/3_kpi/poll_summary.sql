-- One row: what became of all polls that were scheduled in the window.
-- scheduled = stored + failed + dropped, in polls. readings_expected: what stored and failed polls
-- should have given; readings_good: what they gave; readings_failed: the rest, each accounted for
-- by its poll's outcome.
create or replace macro poll_summary(from_at, to_at) as table (
with

polls as (
    select *
    from scheduled_polls
    where
        scheduled_polls.scheduled_at >= from_at::timestamptz
        and scheduled_polls.scheduled_at < to_at::timestamptz
),

final as (
    select
        count(*) as scheduled,
        count(*) filter (polls.is_stored) as stored,
        count(*) filter (polls.is_failed) as failed,
        count(*) filter (polls.is_dropped) as dropped,
        coalesce(sum(polls.points_expected), 0)::bigint as readings_expected,
        coalesce(sum(polls.points_good), 0)::bigint as readings_good,
        coalesce(sum(polls.points_expected - polls.points_good), 0)::bigint as readings_failed,
        quantile_cont(polls.latency_s, 0.5) as latency_p50_s,
        quantile_cont(polls.latency_s, 0.99) as latency_p99_s,
    from polls
)

select * from final
);
