-- One row: how much room the readings, or the polls, take in the lake's Parquet files.
-- rows: stored rows. files, bytes: of the present snapshot. bytes_per_row: null while there are
-- none. The lake must be the database in use (`use lake`).
create or replace view storage as (
with

tables as (
    select
        table_info.table_name,
        table_info.file_count as files,
        table_info.file_size_bytes as bytes,
    from ducklake_table_info(current_database()) as table_info
),

counts as (
    select 'readings' as table_name, count(*) as rows from readings
    union all
    select 'polls' as table_name, count(*) as rows from polls
),

final as (
    select
        counts.table_name,
        counts.rows,
        tables.files,
        tables.bytes,
        tables.bytes / nullif(counts.rows, 0) as bytes_per_row,
    from counts
    inner join tables using (table_name)
)

select * from final
);
