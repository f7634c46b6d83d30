-- One row: a meter, what it counts and how well, for a time.
-- accuracy_class: per cent of reading. power_limit_w: most that can flow, in W: the meter's own
-- maximum, else the end of active power's range in the catalogue of quantities. modulus_wh: where
-- the register starts again from 0, null: never. resolution_wh: its smallest step, null: the
-- meter has no register. valid_to_at: infinity where still true.
create or replace view meter_versions as (
    select
        meters.meter,
        meters.device,
        meters.component,
        meters.meter_role,
        meters.accuracy_class,
        coalesce(
            meters.max_power_w,
            (
                select quantities.range_high
                from quantities
                where quantities.quantity = 'active_power_w'
            ),
            'infinity'::double
        ) as power_limit_w,
        meters.energy_modulus_wh as modulus_wh,
        meters.energy_resolution_wh as resolution_wh,
        meters.valid_from as valid_from_at,
        coalesce(meters.valid_to, 'infinity'::timestamptz) as valid_to_at,
    from meters
);
