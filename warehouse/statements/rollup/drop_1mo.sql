-- $start_at, $end_at: a month.
delete from energy_1mo
where energy_1mo.month_at >= $start_at and energy_1mo.month_at < $end_at
