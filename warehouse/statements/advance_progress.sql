-- $progress: numberings, each with its last seq and its missing batches as of this commit.
-- Rows are compared whole for the reason given in advance_offsets.
update collector_progress
set
    last_seq = given.last_seq,
    missing = given.missing
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
where
    (collector_progress.collector, collector_progress.topic, collector_progress.outbox)
    = (given.collector, given.topic, given.outbox)
