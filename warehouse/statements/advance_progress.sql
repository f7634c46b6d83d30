-- $progress: numberings, each with its last seq and its missing batches as of this commit.
update collector_progress
set
    last_seq = given.last_seq,
    missing = given.missing
from (select unnest($progress, recursive := true)) as given
where
    collector_progress.collector = given.collector
    and collector_progress.topic = given.topic
    and collector_progress.outbox = given.outbox
