-- A value: seconds from one time to another.
create or replace macro seconds_between(earlier_at, later_at) as (
    (epoch_us(later_at) - epoch_us(earlier_at)) / 1e6
);
