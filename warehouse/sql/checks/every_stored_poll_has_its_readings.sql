-- One row: a poll in the window that its collector counted as stored, and of whose good readings
-- the lake holds another number.
-- A reading belongs to the poll scheduled last before it of those that asked: they do not overlap.
-- Where the collector's clock was set back, time comes again, with slots a microsecond after those
-- of the first time: such polls are counted as one.
create or replace macro every_stored_poll_has_its_readings(from_at, to_at) as table (
with

-- beyond the window, so that what later polls gave is theirs
polls as (
    select
        scheduled_polls.*,
        coalesce(
            scheduled_polls.scheduled_at - lag(scheduled_polls.scheduled_at) over (
                partition by scheduled_polls.device
                order by scheduled_polls.scheduled_at
            ) > interval '1 millisecond',
            true
        ) as is_first_time,
    from scheduled_polls
    where
        not scheduled_polls.is_dropped
        and scheduled_polls.scheduled_at >= from_at::timestamptz
        and scheduled_polls.scheduled_at < to_at::timestamptz + interval '1 hour'
),

numbered as (
    select
        polls.*,
        count(*) filter (where polls.is_first_time) over (
            partition by polls.device
            order by polls.scheduled_at
        ) as slot,
    from polls
),

slots as (
    select
        numbered.device,
        min(numbered.scheduled_at) as scheduled_at,
        arg_min(numbered.outcome, numbered.scheduled_at) as outcome,
        bool_or(numbered.is_stored) as is_stored,
        bool_and(numbered.is_stored) as are_all_stored,
        sum(numbered.points_good)::bigint as points_good,
    from numbered
    group by numbered.device, numbered.slot
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
        slots.device,
        slots.scheduled_at,
        sum(answers.good_readings)::bigint as good_readings,
    from answers
    asof join slots
        on answers.device = slots.device
        and answers.read_at >= slots.scheduled_at
    group by slots.device, slots.scheduled_at
),

final as (
    select
        slots.device,
        slots.outcome,
        slots.points_good,
        coalesce(answered.good_readings, 0) as good_readings,
        slots.scheduled_at,
    from slots
    left join answered using (device, scheduled_at)
    where
        slots.is_stored
        and slots.scheduled_at < to_at::timestamptz
        -- a poll that died with its collector may have left readings, and promises none
        and case
            when slots.are_all_stored then slots.points_good <> coalesce(answered.good_readings, 0)
            else slots.points_good > coalesce(answered.good_readings, 0)
        end
)

select * from final
);
