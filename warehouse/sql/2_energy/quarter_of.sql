-- A value: where the quarter of an hour begins that a time is in. In every zone of today a local
-- midnight begins one.
create or replace macro quarter_of(happened_at) as (
    time_bucket(interval '15 minutes', happened_at)
);
