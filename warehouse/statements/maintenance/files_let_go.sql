-- $let_go_before: a time. The files that no snapshot has since; paths within the data path, or whole.
select
    data_file_id as number,
    path,
    path_is_relative::boolean as is_relative,
from __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion
where schedule_start::timestamptz < $let_go_before
order by data_file_id
