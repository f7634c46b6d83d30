-- $new_files: how many file numbers this snapshot uses up.
-- A writer that has just done the same has taken the number, which is a primary key.
insert into __ducklake_metadata_lake.ducklake_snapshot
    (snapshot_id, snapshot_time, schema_version, next_catalog_id, next_file_id)
select
    snapshot_id + 1,
    now(),
    schema_version,
    next_catalog_id,
    next_file_id + $new_files,
from __ducklake_metadata_lake.ducklake_snapshot
order by snapshot_id desc
limit 1
