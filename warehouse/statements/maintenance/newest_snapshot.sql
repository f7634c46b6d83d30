select
    snapshot_id as number,
    next_file_id as next_file,
from __ducklake_metadata_lake.ducklake_snapshot
order by snapshot_id desc
limit 1
