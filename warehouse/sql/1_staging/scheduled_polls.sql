-- One row: one scheduled attempt to read one device, and how it ended.
-- points_*: readings the poll should and did give. latency_s: null where nothing was asked.
create or replace view scheduled_polls as (
    select
        polls.device,
        polls.outcome,
        polls.error,
        polls.points_expected,
        polls.points_good,
        polls.latency_s,
        polls.outcome in ('read', 'partial') as is_stored,
        polls.outcome = 'failed' as is_failed,
        polls.outcome = 'dropped' as is_dropped,
        polls.scheduled_at,
    from polls
);
