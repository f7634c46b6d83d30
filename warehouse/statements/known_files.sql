-- Every file the catalogue still has to do with, those of old snapshots too.
select path from __ducklake_metadata_lake.ducklake_data_file
union all
select path from __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion
