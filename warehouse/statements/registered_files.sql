-- $names: names of data files.
-- How many of them the catalogue has, whatever has become of them since.
select count(*) as files
from __ducklake_metadata_lake.ducklake_data_file
where list_contains($names, parse_filename(path))
