-- One row: an hour of a device, touched by the window, in whose ledger scheduled polls are not the
-- sum of stored, failed and dropped ones, or in which a poll is booked twice (`booked_twice`).
create or replace macro ledger_balances(from_at, to_at) as table (
with

hours as (
    select *
    from ledger
    where
        ledger.hour_start_at > from_at::timestamptz - interval '1 hour'
        and ledger.hour_start_at < to_at::timestamptz
),

slots as (
    select
        scheduled_polls.device,
        time_bucket(interval '1 hour', scheduled_polls.scheduled_at) as hour_start_at,
        count(*) - count(distinct scheduled_polls.scheduled_at) as booked_twice,
    from scheduled_polls
    where
        scheduled_polls.scheduled_at > from_at::timestamptz - interval '1 hour'
        and scheduled_polls.scheduled_at < to_at::timestamptz + interval '1 hour'
    group by scheduled_polls.device, hour_start_at
),

final as (
    select
        hours.device,
        hours.scheduled,
        hours.stored,
        hours.failed,
        hours.dropped,
        slots.booked_twice,
        hours.hour_start_at,
    from hours
    inner join slots using (device, hour_start_at)
    where
        hours.scheduled <> hours.stored + hours.failed + hours.dropped
        or slots.booked_twice > 0
)

select * from final
);
