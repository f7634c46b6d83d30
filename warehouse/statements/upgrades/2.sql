-- From 1 to 2: what is in the lake is yet to be rolled up.
insert into arrivals
select time_bucket(interval '15 minutes', readings.ts) as quarter_at, 'readings', now(), uuid()
from readings
where readings.ts >= '1970-01-01' and readings.ts < '2200-01-01'
group by quarter_at
