-- One row: the air of a hall in a period, by the intakes of its IT equipment. rci_hi_ratio,
-- rci_lo_ratio: 1 - mean excess over the recommended limit / (allowable less recommended), over all
-- intakes alike (Herrlin, ASHRAE Transactions 111(2), 2005; 1 is none outside the recommended
-- range). Limits by the hall's air_class in the site file: see air_classes. rti_ratio: (return -
-- supply of the air handlers, weighted by air flow where it is read) / (outlet - inlet of IT):
-- under 1 air bypasses the IT, over 1 it recirculates. shi_ratio: sum(inlet - supply) / sum(outlet
-- - supply) (Sharma et al., AIAA-2002-3091). intakes: how many; an intake is inlet_temperature_c of
-- any device but an air handler, or temperature_c of the component that intake_sensor in the site
-- file names. highest_c, lowest_c: of all. Each ratio is null where reason says what it lacks.
create or replace macro air(from_at, to_at, grain := 'window') as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

devices_then as (
    select
        periods.period_start_at,
        periods.period_end_at,
        device_versions.device,
        device_versions.profile,
        device_versions.device_role,
        device_versions.hall,
    from periods
    inner join device_versions
        on periods.period_end_at > device_versions.valid_from_at
        and periods.period_end_at <= device_versions.valid_to_at
    where device_versions.hall <> ''
),

stated as (
    select * from period_factors(from_at, to_at, grain)
),

classes as (
    select
        stated.subject as hall,
        stated.period_start_at,
        air_classes.*,
    from stated
    inner join air_classes
        on stated.text = air_classes.air_class
    where stated.factor = 'air_class'
),

readings_then as (
    select
        devices_then.* exclude (device, profile),
        usable_readings.device,
        usable_readings.component,
        usable_readings.quantity,
        usable_readings.value,
        usable_readings.ts as read_at,
        coalesce(of_device.text, of_profile.text) as sensor,
    from usable_readings
    inner join devices_then
        on usable_readings.device = devices_then.device
        and usable_readings.ts >= devices_then.period_start_at
        and usable_readings.ts < devices_then.period_end_at
    left join stated as of_device
        on of_device.factor = 'intake_sensor'
        and devices_then.device = of_device.subject
        and devices_then.period_start_at = of_device.period_start_at
    left join stated as of_profile
        on of_profile.factor = 'intake_sensor'
        and devices_then.profile = of_profile.subject
        and devices_then.period_start_at = of_profile.period_start_at
    where
        usable_readings.quantity in (
            'inlet_temperature_c',
            'outlet_temperature_c',
            'temperature_c',
            'supply_temperature_c',
            'return_temperature_c',
            'air_flow_lps'
        )
        and usable_readings.ts >= from_at::timestamptz
        and usable_readings.ts < to_at::timestamptz
),

intakes as (
    select
        readings_then.hall,
        readings_then.period_start_at,
        readings_then.device,
        readings_then.component,
        avg(readings_then.value) as inlet_c,
        max(readings_then.value) as highest_c,
        min(readings_then.value) as lowest_c,
        avg(
            greatest(readings_then.value - classes.recommended_high_c, 0)
            / (classes.allowable_high_c - classes.recommended_high_c)
        ) as over_ratio,
        avg(
            greatest(classes.recommended_low_c - readings_then.value, 0)
            / (classes.recommended_low_c - classes.allowable_low_c)
        ) as under_ratio,
    from readings_then
    left join classes using (hall, period_start_at)
    where
        readings_then.device_role <> 'air_handler'
        and (
            readings_then.quantity = 'inlet_temperature_c'
            or (
                readings_then.quantity = 'temperature_c'
                and readings_then.component = readings_then.sensor
            )
        )
    group by
        readings_then.hall,
        readings_then.period_start_at,
        readings_then.device,
        readings_then.component
),

intake_sums as (
    select
        intakes.hall,
        intakes.period_start_at,
        count(*) as intakes,
        avg(intakes.inlet_c) as inlet_c,
        max(intakes.highest_c) as highest_c,
        min(intakes.lowest_c) as lowest_c,
        1 - avg(intakes.over_ratio) as rci_hi_ratio,
        1 - avg(intakes.under_ratio) as rci_lo_ratio,
    from intakes
    group by intakes.hall, intakes.period_start_at
),

outlet_sums as (
    select
        outlets.hall,
        outlets.period_start_at,
        avg(outlets.outlet_c) as outlet_c,
    from (
        select
            readings_then.hall,
            readings_then.period_start_at,
            avg(readings_then.value) as outlet_c,
        from readings_then
        where
            readings_then.device_role <> 'air_handler'
            and readings_then.quantity = 'outlet_temperature_c'
        group by
            readings_then.hall,
            readings_then.period_start_at,
            readings_then.device,
            readings_then.component
    ) as outlets
    group by outlets.hall, outlets.period_start_at
),

handlers as (
    select
        readings_then.hall,
        readings_then.period_start_at,
        readings_then.device,
        avg(readings_then.value) filter (readings_then.quantity = 'supply_temperature_c')
            as supply_c,
        avg(readings_then.value) filter (readings_then.quantity = 'return_temperature_c')
            as return_c,
        avg(readings_then.value) filter (readings_then.quantity = 'air_flow_lps') as flow_lps,
    from readings_then
    where
        readings_then.device_role = 'air_handler'
        and readings_then.component = ''
    group by readings_then.hall, readings_then.period_start_at, readings_then.device
),

handler_sums as (
    select
        handlers.hall,
        handlers.period_start_at,
        sum(handlers.supply_c * coalesce(handlers.flow_lps, 1))
        / sum(coalesce(handlers.flow_lps, 1)) filter (handlers.supply_c is not null) as supply_c,
        sum(handlers.return_c * coalesce(handlers.flow_lps, 1))
        / sum(coalesce(handlers.flow_lps, 1)) filter (handlers.return_c is not null) as return_c,
    from handlers
    group by handlers.hall, handlers.period_start_at
),

halls as (
    select distinct
        devices_then.hall,
        devices_then.period_start_at,
        devices_then.period_end_at,
    from devices_then
),

final as (
    select
        halls.hall,
        classes.air_class,
        coalesce(intake_sums.intakes, 0) as intakes,
        intake_sums.lowest_c,
        intake_sums.highest_c,
        intake_sums.rci_hi_ratio,
        intake_sums.rci_lo_ratio,
        (handler_sums.return_c - handler_sums.supply_c)
        / nullif(outlet_sums.outlet_c - intake_sums.inlet_c, 0) as rti_ratio,
        (intake_sums.inlet_c - handler_sums.supply_c)
        / nullif(outlet_sums.outlet_c - handler_sums.supply_c, 0) as shi_ratio,
        nullif(
            concat_ws(
                '; ',
                if(classes.air_class is null, 'rci: air_class is not stated', null),
                if(
                    intake_sums.intakes is null,
                    'no inlet_temperature_c and no intake_sensor was read',
                    null
                ),
                if(
                    outlet_sums.outlet_c is null,
                    'rti, shi: no outlet_temperature_c was read',
                    null
                ),
                if(
                    handler_sums.supply_c is null,
                    'rti, shi: no supply_temperature_c of an air handler was read',
                    null
                ),
                if(
                    handler_sums.return_c is null,
                    'rti: no return_temperature_c of an air handler was read',
                    null
                )
            ),
            ''
        ) as reason,
        halls.period_start_at,
        halls.period_end_at,
    from halls
    left join classes using (hall, period_start_at)
    left join intake_sums using (hall, period_start_at)
    left join outlet_sums using (hall, period_start_at)
    left join handler_sums using (hall, period_start_at)
)

select * from final
);
