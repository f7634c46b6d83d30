-- $start_at, $end_at: minutes. The rows of readings_1m of them, sorted.
select
    time_bucket(interval '1 minute', readings.ts) as minute_at,
    readings.device,
    readings.component,
    readings.quantity,
    min(readings.value) filter (readings.quality in (0, 3)) as lowest,
    max(readings.value) filter (readings.quality in (0, 3)) as highest,
    avg(readings.value) filter (readings.quality in (0, 3)) as mean,
    arg_max(readings.value, readings.ts) filter (readings.quality in (0, 3)) as last,
    count(*)::uinteger as readings,
    max(readings.quality) as worst_quality,
from readings
where readings.ts >= $start_at and readings.ts < $end_at
group by minute_at, readings.device, readings.component, readings.quantity
order by readings.quantity, readings.device, readings.component, minute_at
