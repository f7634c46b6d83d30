select min(snapshot_time) as taken_at
from ducklake_snapshots('lake')
