-- $ts, $device, $component, $quantity: one row of a batch.
select count(*) as found
from readings
where ts = $ts and device = $device and component = $component and quantity = $quantity
