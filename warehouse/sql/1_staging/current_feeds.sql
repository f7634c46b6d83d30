-- One row: a step of the power path as it is now; columns as in feed_versions.
create or replace view current_feeds as (
    select feed_versions.* exclude (valid_to_at),
    from feed_versions
    where feed_versions.valid_to_at = 'infinity'::timestamptz
);
