-- $partitions: those the sink was given, each with topic, topic_id, partition.
-- Adds a row for each that the lake has never seen, so that every commit is an update.
insert into sink_offsets
select given.topic, given.topic_id, given.partition, 0
from (
    select
        unnest(
            from_json(
                $partitions,
                '[{"topic": "VARCHAR", "topic_id": "VARCHAR", "partition": "INTEGER"}]'
            ),
            recursive := true
        )
) as given
anti join sink_offsets using (topic, topic_id, partition)
