-- $table: a pattern for names of tables. Where their rows lie within the catalogue.
select inlined.table_name as name
from __ducklake_metadata_lake.ducklake_inlined_data_tables as inlined
inner join __ducklake_metadata_lake.ducklake_table as tables using (table_id)
where
    tables.end_snapshot is null
    and tables.table_name like $table
order by name
