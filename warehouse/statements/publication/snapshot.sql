-- One row: the snapshot that this transaction sees, and when it was made.
select
    snapshots.snapshot_id as snapshot,
    snapshots.snapshot_time as as_of_at,
from ducklake_snapshots('lake') as snapshots
where snapshots.snapshot_id = (select current.id from ducklake_current_snapshot('lake') as current)
