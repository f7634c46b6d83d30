-- $snapshot, $changes (as DuckLake writes and reads them), $message.
insert into __ducklake_metadata_lake.ducklake_snapshot_changes
    (snapshot_id, changes_made, author, commit_message)
values ($snapshot, $changes, 'busway maintain', $message)
