-- $arrivals: ids. What they told of is being rolled up.
delete from arrivals
where arrivals.arrival in (select unnest($arrivals)::uuid)
