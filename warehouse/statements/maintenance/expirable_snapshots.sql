-- $kept_from: the lake must still be found as it was at any time since. $most: give no more.
-- Oldest first, up to and without the snapshot that stood at that moment.
-- (DuckLake's own older_than compares times as text in SQLite, which is right to the day only.)
select snapshot_id
from ducklake_snapshots('lake')
where
    snapshot_id < (
        select max(snapshot_id)
        from ducklake_snapshots('lake')
        where snapshot_time <= $kept_from
    )
order by snapshot_id
limit $most
