-- $scheduled_at, $device: one row of a batch.
select count(*) as found
from polls
where scheduled_at = $scheduled_at and device = $device
