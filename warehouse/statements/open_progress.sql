-- $progress: numberings, each with collector, topic, outbox.
insert into collector_progress
select given.collector, given.topic, given.outbox, 0, 0
from (
    select
        unnest(
            from_json(
                $progress,
                '[{"collector": "VARCHAR", "topic": "VARCHAR", "outbox": "VARCHAR",
                "last_seq": "BIGINT", "missing": "BIGINT"}]'
            ),
            recursive := true
        )
) as given
anti join collector_progress using (collector, topic, outbox)
