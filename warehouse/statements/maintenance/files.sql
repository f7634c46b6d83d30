-- $table, $field: numbers of a table and of its column that says when a row is from.
-- Every file of the present snapshot that lies in the table's place. committed_at: its snapshot's time, while that is kept; after
-- that the time in the file's name, which comes a moment before.
with

oldest as (
    select min(snapshot_time::timestamptz) as kept_from
    from __ducklake_metadata_lake.ducklake_snapshot
),

files as (
    select
        data_files.*,
        coalesce(
            snapshots.snapshot_time::timestamptz,
            try_strptime(
                regexp_extract(data_files.path, '\d{8}T\d{6}Z'), '%Y%m%dT%H%M%SZ'
            ) at time zone 'UTC',
            oldest.kept_from
        ) as committed_at,
    from __ducklake_metadata_lake.ducklake_data_file as data_files
    cross join oldest
    left join __ducklake_metadata_lake.ducklake_snapshot as snapshots
        on data_files.begin_snapshot = snapshots.snapshot_id
    where
        data_files.table_id = $table
        and data_files.end_snapshot is null
        and data_files.path_is_relative::boolean
),

times as (
    select
        data_file_id,
        try_cast(max_value as timestamptz) as newest_at,
    from __ducklake_metadata_lake.ducklake_file_column_stats
    where table_id = $table and column_id = $field
),

final as (
    select
        files.data_file_id as number,
        files.path,
        files.record_count as rows,
        files.file_size_bytes as bytes,
        coalesce(times.newest_at, files.committed_at) as newest_at,
        files.committed_at,
    from files
    left join times using (data_file_id)
    order by files.data_file_id
)

select * from final
