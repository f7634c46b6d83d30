-- $grain, $periods: those that are noted anew.
delete from rolled_periods
where rolled_periods.grain = $grain and rolled_periods.start_at in (select unnest($periods))
