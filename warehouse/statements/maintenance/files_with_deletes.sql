-- $table: number of a table. Its files from which rows were deleted, as delete files tell.
select distinct data_file_id as file
from __ducklake_metadata_lake.ducklake_delete_file
where table_id = $table
