-- One row: a poll in the window that its collector counted as stored, and of whose good readings
-- the lake holds another number.
-- A reading belongs to the poll scheduled last before it: polls of a device do not overlap.
create or replace macro every_stored_poll_has_its_readings(from_at, to_at) as table (
with

-- beyond the window, so that what later polls gave is theirs
polls as (
    select *
    from scheduled_polls
    where
        scheduled_polls.scheduled_at >= from_at::timestamptz
        and scheduled_polls.scheduled_at < to_at::timestamptz + interval '1 hour'
),

answers as (
    select
        usable_readings.device,
        usable_readings.ts as read_at,
        count(*) as good_readings,
    from usable_readings
    where
        usable_readings.quality = 0
        and usable_readings.ts >= from_at::timestamptz
        and usable_readings.ts < to_at::timestamptz + interval '1 hour'
    group by usable_readings.device, usable_readings.ts
),

answered as (
    select
        polls.device,
        polls.scheduled_at,
        sum(answers.good_readings)::bigint as good_readings,
    from answers
    asof join polls
        on answers.device = polls.device
        and answers.read_at >= polls.scheduled_at
    group by polls.device, polls.scheduled_at
),

final as (
    select
        polls.device,
        polls.outcome,
        polls.points_good,
        coalesce(answered.good_readings, 0) as good_readings,
        polls.scheduled_at,
    from polls
    left join answered using (device, scheduled_at)
    where
        polls.is_stored
        and polls.scheduled_at < to_at::timestamptz
        and polls.points_good <> coalesce(answered.good_readings, 0)
)

select * from final
);
