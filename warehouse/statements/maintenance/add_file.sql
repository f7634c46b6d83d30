-- $file, $table, $snapshot: its number, its table's, the first snapshot with it. Its columns carry
-- field ids, so it needs no mapping of names.
insert into __ducklake_metadata_lake.ducklake_data_file (
    data_file_id,
    table_id,
    begin_snapshot,
    path,
    path_is_relative,
    file_format,
    record_count,
    file_size_bytes,
    footer_size,
    row_id_start
)
select
    $file,
    $table,
    $snapshot,
    $name,
    true,
    'parquet',
    $rows,
    $bytes,
    $footer_bytes,
    next_row_id,
from __ducklake_metadata_lake.ducklake_table_stats
where table_id = $table
