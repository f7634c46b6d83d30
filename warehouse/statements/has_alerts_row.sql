-- $happened_at, $alert: one row of a batch.
select count(*) as found
from alerts
where happened_at = $happened_at and alert = $alert
