-- $start_at, $end_at. One row: a minute, and how many readings are from it.
select
    time_bucket(interval '1 minute', readings.ts) as minute_at,
    count(*) as readings,
from readings
where readings.ts >= $start_at and readings.ts < $end_at
group by minute_at
order by minute_at
