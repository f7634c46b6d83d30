-- One row: a reading that may enter a sum: good (0), or substituted (3) by a stated rule.
-- Uncertain (1), stale (2) and bad (4) readings count as not observed; they stay in `readings`.
-- value: in the unit of its quantity. ts: when the device was sampled.
create or replace view usable_readings as (
    select
        readings.device,
        readings.component,
        readings.quantity,
        readings.value,
        readings.quality,
        readings.ts,
    from readings
    where
        readings.quality in (0, 3)
        and readings.value is not null
);
