-- When the newest snapshot is from, and how many partitions of topics sinks have read.
select
    max(snapshot_time) as committed_at,
    (select count(*) from sink_offsets) as partitions,
from ducklake_snapshots('lake')
