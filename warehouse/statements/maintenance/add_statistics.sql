-- $file, $table: numbers. $columns: field_id, bytes, rows, nulls, low and high of each column.
insert into __ducklake_metadata_lake.ducklake_file_column_stats (
    data_file_id,
    table_id,
    column_id,
    column_size_bytes,
    value_count,
    null_count,
    min_value,
    max_value
)
select
    $file,
    $table,
    field_id,
    bytes,
    rows,
    nulls,
    low,
    high,
from (select unnest($columns, recursive := true))
