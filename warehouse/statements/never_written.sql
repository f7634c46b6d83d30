-- The tables that nothing was ever written to: DuckLake has no statistics of them.
select tables.table_name
from __ducklake_metadata_lake.ducklake_table as tables
anti join __ducklake_metadata_lake.ducklake_table_stats as known using (table_id)
where tables.end_snapshot is null
