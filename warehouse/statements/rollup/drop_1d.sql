-- $start_at, $end_at: a month.
delete from energy_1d
where energy_1d.day_at >= $start_at and energy_1d.day_at < $end_at
