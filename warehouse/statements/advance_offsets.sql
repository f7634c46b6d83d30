-- $offsets: partitions, each with the offset this sink wrote last and the one it writes now.
-- The fence: a row that another sink has moved is not matched, and the count tells.
-- Rows are compared whole: a column of its own DuckLake would look up in the statistics of every
-- file of every table, which costs more with each file.
update sink_offsets
set next_offset = given.next_offset
from (
    select
        unnest(
            from_json(
                $offsets,
                '[{"topic": "VARCHAR", "topic_id": "VARCHAR", "partition": "INTEGER",
                "expected_offset": "BIGINT", "next_offset": "BIGINT"}]'
            ),
            recursive := true
        )
) as given
where
    (
        sink_offsets.topic,
        sink_offsets.topic_id,
        sink_offsets.partition,
        sink_offsets.next_offset
    ) = (
        given.topic,
        given.topic_id,
        given.partition::integer,
        given.expected_offset
    )
