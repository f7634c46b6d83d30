-- One row: a device, and how far behind it is.
-- latest_at: its latest usable reading; the latest across the site is `site_latest_at`, and lag_s
-- the seconds between them. missed_polls: how many of its intervals fit in that lag.
-- latest_poll_at, latest_outcome: its latest poll, however it ended.
create or replace view freshness as (
with

latest_readings as (
    select
        usable_readings.device,
        max(usable_readings.ts) as latest_at,
    from usable_readings
    group by usable_readings.device
),

latest_polls as (
    select
        scheduled_polls.device,
        arg_max(scheduled_polls.outcome, scheduled_polls.scheduled_at) as latest_outcome,
        max(scheduled_polls.scheduled_at) as latest_poll_at,
    from scheduled_polls
    group by scheduled_polls.device
),

site as (
    select max(latest_readings.latest_at) as site_latest_at from latest_readings
),

lags as (
    select
        current_devices.device,
        current_devices.device_role,
        current_devices.hall,
        current_devices.rack,
        latest_polls.latest_outcome,
        current_devices.interval_s,
        seconds_between(latest_readings.latest_at, site.site_latest_at) as lag_s,
        latest_readings.latest_at,
        latest_polls.latest_poll_at,
        site.site_latest_at,
    from current_devices
    left join latest_readings using (device)
    left join latest_polls using (device)
    cross join site
),

final as (
    select
        lags.*,
        floor(lags.lag_s / lags.interval_s)::bigint as missed_polls,
    from lags
)

select * from final
);
