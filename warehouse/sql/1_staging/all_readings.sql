-- One row: a reading, whatever its quality: for finding out what is wrong with a meter, never for
-- a sum.
-- quality: 0 good, 1 uncertain, 2 stale, 3 substituted, 4 bad (value is null).
create or replace view all_readings as (
    select
        readings.device,
        readings.component,
        readings.quantity,
        readings.value,
        readings.quality,
        readings.ts,
    from readings
);
