"""Parquet and DuckLake: the lake, the sink that fills it, the SQL that answers."""
