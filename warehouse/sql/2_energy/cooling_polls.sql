-- One row: a poll of a chiller, cooling tower, CDU, air handler or pump, with what it said of its
-- loops, in the quantities' units (a column is null where the device has it not).
-- fluid_w_per_lpm_k: as stated in the site file for the device, else for its role. heat_w: what the
-- device removes: its own cooling_power_w, else flow_lpm x temperature rise x fluid_w_per_lpm_k
-- (flow x density x specific heat x rise), of a chiller's chilled water or of another's supply and
-- return. is_running: it did not say that it stands. Polls up to an hour outside the window are
-- given too.
create or replace macro cooling_polls(from_at, to_at) as table (
with

devices_then as (
    select
        device_versions.device,
        arg_max(device_versions.device_role, device_versions.valid_from_at) as device_role,
        arg_max(device_versions.hall, device_versions.valid_from_at) as hall,
        arg_max(device_versions.interval_s, device_versions.valid_from_at) as interval_s,
    from device_versions
    where
        device_versions.device_role in ('chiller', 'cooling_tower', 'cdu', 'air_handler', 'pump')
        and device_versions.valid_from_at < to_at::timestamptz
        and device_versions.valid_to_at > from_at::timestamptz
    group by device_versions.device
),

fluids as (
    select
        period_factors.subject,
        period_factors.value,
    from period_factors(from_at, to_at) as period_factors
    where period_factors.factor = 'fluid_w_per_lpm_k'
),

told as (
    select
        devices_then.*,
        usable_readings.quantity,
        usable_readings.value,
        usable_readings.ts as read_at,
    from usable_readings
    inner join devices_then using (device)
    where
        usable_readings.component = ''
        and usable_readings.quantity in (
            'supply_temperature_c',
            'return_temperature_c',
            'facility_supply_temperature_c',
            'facility_return_temperature_c',
            'chilled_water_supply_temperature_c',
            'chilled_water_return_temperature_c',
            'condenser_water_supply_temperature_c',
            'condenser_water_return_temperature_c',
            'wet_bulb_temperature_c',
            'supply_setpoint_c',
            'flow_lpm',
            'facility_flow_lpm',
            'air_flow_lps',
            'cooling_power_w',
            'run_state'
        )
        and usable_readings.ts >= from_at::timestamptz - interval '1 hour'
        and usable_readings.ts <= to_at::timestamptz + interval '1 hour'
),

polls as (
    select
        told.device,
        told.device_role,
        told.hall,
        told.interval_s,
        told.read_at,
        max(told.value) filter (told.quantity = 'supply_temperature_c') as supply_c,
        max(told.value) filter (told.quantity = 'return_temperature_c') as return_c,
        max(told.value) filter (told.quantity = 'facility_supply_temperature_c')
            as facility_supply_c,
        max(told.value) filter (told.quantity = 'facility_return_temperature_c')
            as facility_return_c,
        max(told.value) filter (told.quantity = 'chilled_water_supply_temperature_c')
            as chilled_supply_c,
        max(told.value) filter (told.quantity = 'chilled_water_return_temperature_c')
            as chilled_return_c,
        max(told.value) filter (told.quantity = 'condenser_water_supply_temperature_c')
            as condenser_supply_c,
        max(told.value) filter (told.quantity = 'condenser_water_return_temperature_c')
            as condenser_return_c,
        max(told.value) filter (told.quantity = 'wet_bulb_temperature_c') as wet_bulb_c,
        max(told.value) filter (told.quantity = 'supply_setpoint_c') as supply_setpoint_c,
        max(told.value) filter (told.quantity = 'flow_lpm') as flow_lpm,
        max(told.value) filter (told.quantity = 'facility_flow_lpm') as facility_flow_lpm,
        max(told.value) filter (told.quantity = 'air_flow_lps') as air_flow_lps,
        max(told.value) filter (told.quantity = 'cooling_power_w') as cooling_power_w,
        coalesce(max(told.value) filter (told.quantity = 'run_state'), 1) > 0 as is_running,
    from told
    group by told.device, told.device_role, told.hall, told.interval_s, told.read_at
),

final as (
    select
        polls.*,
        coalesce(of_device.value, of_role.value) as fluid_w_per_lpm_k,
        coalesce(
            polls.cooling_power_w,
            polls.flow_lpm * fluid_w_per_lpm_k * if(
                polls.device_role = 'chiller',
                polls.chilled_return_c - polls.chilled_supply_c,
                polls.return_c - polls.supply_c
            )
        ) as heat_w,
    from polls
    left join fluids as of_device
        on polls.device = of_device.subject
    left join fluids as of_role
        on polls.device_role = of_role.subject
)

select * from final
);
