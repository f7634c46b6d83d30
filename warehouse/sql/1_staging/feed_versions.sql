-- One row: one step of the power path, source feeds target, for a time.
-- valid_to_at: infinity where still true.
create or replace view feed_versions as (
    select
        feeds.source,
        feeds.target,
        feeds.valid_from as valid_from_at,
        coalesce(feeds.valid_to, 'infinity'::timestamptz) as valid_to_at,
    from feeds
);
