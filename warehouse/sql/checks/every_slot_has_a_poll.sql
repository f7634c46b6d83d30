-- One row: a stretch in the window in which a device should have been polled and no poll is booked,
-- not even as dropped: the collector was not running, or its ledger was lost.
-- missing_polls: intervals that fit in it. last_booked_at, next_booked_at: the polls around it.
create or replace macro every_slot_has_a_poll(from_at, to_at) as table (
with

polls as (
    select
        scheduled_polls.device,
        scheduled_polls.scheduled_at as last_booked_at,
        lead(scheduled_polls.scheduled_at) over (
            partition by scheduled_polls.device
            order by scheduled_polls.scheduled_at
        ) as next_booked_at,
    from scheduled_polls
    where
        scheduled_polls.scheduled_at >= from_at::timestamptz
        and scheduled_polls.scheduled_at < to_at::timestamptz
),

final as (
    select
        polls.device,
        round(
            seconds_between(polls.last_booked_at, polls.next_booked_at)
            / device_versions.interval_s
        )::bigint
        - 1 as missing_polls,
        polls.last_booked_at,
        polls.next_booked_at,
    from polls
    inner join device_versions
        on polls.device = device_versions.device
        and polls.next_booked_at > device_versions.valid_from_at
        and polls.next_booked_at <= device_versions.valid_to_at
    where
        seconds_between(polls.last_booked_at, polls.next_booked_at)
        > 1.5 * device_versions.interval_s
)

select * from final
);
