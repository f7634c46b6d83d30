-- $start_at, $end_at
delete from readings_1m
where readings_1m.minute_at >= $start_at and readings_1m.minute_at < $end_at
