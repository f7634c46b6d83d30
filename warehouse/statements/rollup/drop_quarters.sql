-- $start_at, $end_at
delete from energy_15m
where energy_15m.quarter_at >= $start_at and energy_15m.quarter_at < $end_at
