-- $start_at, $end_at: a month. $periods: days of it that are made anew. The rows of the others, which
-- go with them into one file.
select energy_1d.*
from energy_1d
where
    energy_1d.day_at >= $start_at
    and energy_1d.day_at < $end_at
    and energy_1d.day_at not in (select unnest($periods))
