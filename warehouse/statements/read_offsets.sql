-- $partitions: as for open_offsets.
select sink_offsets.*
from sink_offsets
semi join (select unnest($partitions, recursive := true)) as given
    using (topic, topic_id, partition)
