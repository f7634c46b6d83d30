-- One row: a device and delay_s, the longest that an answer took, in seconds, among its polls
-- within one interval of the window's start or end.
-- A reading bears the time its answer arrived, so the device may have taken it that much earlier.
create or replace macro read_delays(from_at, to_at) as table (
with

polls as (
    select
        scheduled_polls.device,
        scheduled_polls.latency_s,
        least(
            abs(seconds_between(from_at::timestamptz, scheduled_polls.scheduled_at)),
            abs(seconds_between(to_at::timestamptz, scheduled_polls.scheduled_at))
        ) as edge_distance_s,
    from scheduled_polls
    where
        scheduled_polls.is_stored
        and (
            scheduled_polls.scheduled_at between from_at::timestamptz - interval '1 hour'
            and from_at::timestamptz + interval '1 hour'
            or scheduled_polls.scheduled_at between to_at::timestamptz - interval '1 hour'
            and to_at::timestamptz + interval '1 hour'
        )
),

final as (
    select
        polls.device,
        max(polls.latency_s) as delay_s,
    from polls
    inner join device_versions
        on polls.device = device_versions.device
        and device_versions.valid_from_at < to_at::timestamptz
        and device_versions.valid_to_at > from_at::timestamptz
    where polls.edge_distance_s <= device_versions.interval_s
    group by polls.device
)

select * from final
);
