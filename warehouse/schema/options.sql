-- How DuckLake writes what it writes itself: dimensions, and files it merges.
call ducklake_set_option('lake', 'parquet_version', '2');
call ducklake_set_option('lake', 'parquet_compression', 'zstd');
call ducklake_set_option('lake', 'parquet_compression_level', '9');
-- Rows of offsets, progress and dimensions change a few at a time: they stay in the catalogue.
call ducklake_set_option('lake', 'data_inlining_row_limit', '1000');
