-- One row: a meter and a chiller, cooling tower or pump whose electricity it counts, as the power
-- path was at the window's end.
-- steps: 0 where it is the unit's own, else how many steps of the power path lie between. is_alone:
-- it counts nothing else: it is the unit's own, or its device feeds only that unit.
create or replace macro plant_meters(from_at, to_at) as table (
with recursive

units as (
    select
        device_versions.device,
        device_versions.device_role,
    from device_versions
    where
        device_versions.device_role in ('chiller', 'cooling_tower', 'pump')
        and to_at::timestamptz > device_versions.valid_from_at
        and to_at::timestamptz <= device_versions.valid_to_at
),

-- read once, not once a step
steps_then as materialized (
    select
        feed_versions.source,
        feed_versions.target,
        count(*) over (partition by feed_versions.source) = 1 as feeds_one,
    from feed_versions
    where
        to_at::timestamptz > feed_versions.valid_from_at
        and to_at::timestamptz <= feed_versions.valid_to_at
),

meters_then as (
    select
        meter_versions.meter,
        meter_versions.meter_role,
        meter_versions.device,
    from meter_versions
    where
        meter_versions.meter_role in ('cooling', 'feeder')
        and to_at::timestamptz > meter_versions.valid_from_at
        and to_at::timestamptz <= meter_versions.valid_to_at
),

upwards as (
    select
        units.device as unit,
        units.device as reached,
        0 as steps,
        true as is_alone,
    from units
    union
    select
        upwards.unit,
        steps_then.source,
        upwards.steps + 1,
        upwards.is_alone and steps_then.feeds_one,
    from upwards
    inner join steps_then
        on upwards.reached = steps_then.target
    where upwards.steps < 20
),

final as (
    select
        meters_then.meter,
        meters_then.meter_role,
        upwards.unit,
        units.device_role as unit_role,
        min(upwards.steps) as steps,
        bool_and(upwards.is_alone) as is_alone,
    from upwards
    inner join meters_then
        on upwards.reached = meters_then.device
    inner join units
        on upwards.unit = units.device
    group by meters_then.meter, meters_then.meter_role, upwards.unit, units.device_role
)

select * from final
);
