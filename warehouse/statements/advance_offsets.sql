-- $offsets: partitions, each with the offset this sink wrote last and the one it writes now.
-- The fence: a row that another sink has moved is not matched, and the count tells.
update sink_offsets
set next_offset = given.next_offset
from (select unnest($offsets, recursive := true)) as given
where
    sink_offsets.topic = given.topic
    and sink_offsets.topic_id = given.topic_id
    and sink_offsets.partition = given.partition
    and sink_offsets.next_offset = given.expected_offset
