-- $partitions: as for open_offsets.
select sink_offsets.*
from sink_offsets
semi join (
    select
        unnest(
            from_json(
                $partitions,
                '[{"topic": "VARCHAR", "topic_id": "VARCHAR", "partition": "INTEGER"}]'
            ),
            recursive := true
        )
) as given
    using (topic, topic_id, partition)
