-- $table: name of a table of the present snapshot. Its number and columns, in order.
select
    tables.table_id as "table",
    columns.column_name as "column",
    columns.column_id as field_id,
from __ducklake_metadata_lake.ducklake_table as tables
inner join __ducklake_metadata_lake.ducklake_column as columns using (table_id)
where
    tables.table_name = $table
    and tables.end_snapshot is null
    and columns.end_snapshot is null
order by columns.column_order
