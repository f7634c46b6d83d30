-- $snapshot: the first one without these $files (numbers). Those ended already are not matched, and
-- the count tells.
update __ducklake_metadata_lake.ducklake_data_file
set end_snapshot = $snapshot
where
    end_snapshot is null
    and data_file_id in (select unnest($files))
