-- $files: numbers of files that are removed.
delete from __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion
where data_file_id in (select unnest($files))
