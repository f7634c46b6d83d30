-- $table: its number. $new_rows use up row numbers; $more_rows and $more_bytes may be negative.
update __ducklake_metadata_lake.ducklake_table_stats
set
    record_count = record_count + $more_rows,
    next_row_id = next_row_id + $new_rows,
    file_size_bytes = file_size_bytes + $more_bytes
where table_id = $table
