-- One row: how far a counter of an inference server went in a period: tokens, requests, requests
-- within a bound of a latency's histogram.
-- amount: sum of the rises from reading to reading; a counter that fell began again at 0, as a
-- server's do when it starts, and went as far as it shows; what it counted between the last
-- reading and its end is lost, for one poll interval or until it is read again. An edge between
-- two readings cuts the rise in proportion to time. restarts: falls. measured_s: seconds that lie
-- between readings. Readings are looked for up to an hour outside the window.
create or replace macro inference_counts(from_at, to_at, grain := 'window') as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

servers as (
    select distinct device_versions.device
    from device_versions
    where
        device_versions.device_role = 'inference_server'
        and device_versions.valid_from_at < to_at::timestamptz
        and device_versions.valid_to_at > from_at::timestamptz
),

steps as (
    select
        usable_readings.device,
        usable_readings.component,
        usable_readings.quantity,
        usable_readings.value,
        usable_readings.ts as end_at,
        lag(usable_readings.value) over in_time as previous_value,
        lag(usable_readings.ts) over in_time as start_at,
    from usable_readings
    semi join servers using (device)
    where
        usable_readings.quantity like '%_count'
        and usable_readings.ts >= from_at::timestamptz - interval '1 hour'
        and usable_readings.ts <= to_at::timestamptz + interval '1 hour'
    window in_time as (
        partition by
            usable_readings.device, usable_readings.component, usable_readings.quantity
        order by usable_readings.ts
    )
),

pieces as (
    select
        steps.*,
        periods.period_start_at,
        periods.period_end_at,
        if(
            steps.value < steps.previous_value,
            steps.value,
            steps.value - steps.previous_value
        ) as rise,
        seconds_between(steps.start_at, steps.end_at) as step_s,
        seconds_between(
            greatest(steps.start_at, periods.period_start_at),
            least(steps.end_at, periods.period_end_at)
        ) as piece_s,
    from steps
    inner join periods
        on steps.start_at < periods.period_end_at
        and steps.end_at > periods.period_start_at
    where steps.end_at > steps.start_at
),

final as (
    select
        pieces.device,
        pieces.component,
        pieces.quantity,
        sum(pieces.rise * pieces.piece_s / pieces.step_s) as amount,
        count(*) filter (pieces.value < pieces.previous_value) as restarts,
        sum(pieces.piece_s) as measured_s,
        pieces.period_start_at,
        pieces.period_end_at,
    from pieces
    group by all
)

select * from final
);
