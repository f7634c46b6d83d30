-- $arrivals: ids with commas between. What they told of is being rolled up.
delete from arrivals
where arrivals.arrival in (select unnest(string_split($arrivals, ','))::uuid)
