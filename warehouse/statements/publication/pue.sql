-- $from_at, $to_at, $grain: what is published.
select * from pue($from_at, $to_at, $grain) order by category, period_start_at
