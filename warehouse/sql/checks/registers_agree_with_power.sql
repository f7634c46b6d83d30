-- One row: a meter whose register and whose integrated power differ by more than 1 % in the window
-- (more than 3 %: is_alarm), though both cover it: a wrong ratio, sign, word order or scale.
-- unexplained_ratio leaves out what the register's resolution and the sampling of the power
-- explain; sampling_error_wh: root of the sum of squares of what each step's change of power
-- leaves open.
create or replace macro registers_agree_with_power(from_at, to_at) as table (
with

registers as (
    select *
    from energy(from_at, to_at) as energy
    where
        energy.method = 'register'
        and energy.coverage_ratio >= 0.9
),

power_steps as (
    select
        usable_readings.device,
        usable_readings.component,
        usable_readings.value,
        lag(usable_readings.value) over in_time as previous_w,
        seconds_between(lag(usable_readings.ts) over in_time, usable_readings.ts) as step_s,
    from usable_readings
    semi join registers using (device, component)
    where
        usable_readings.quantity = 'active_power_w'
        and usable_readings.ts >= from_at::timestamptz
        and usable_readings.ts <= to_at::timestamptz
    window in_time as (
        partition by usable_readings.device, usable_readings.component
        order by usable_readings.ts
    )
),

integrals as (
    select
        power_steps.device,
        power_steps.component,
        sum((power_steps.value + power_steps.previous_w) / 2 * power_steps.step_s)
        / sum(power_steps.step_s) as average_w,
        sqrt(
            sum(
                power(
                    (power_steps.value - power_steps.previous_w) / 2 * power_steps.step_s / 3600, 2
                )
            )
        ) as sampling_error_wh,
        sum(power_steps.step_s) as step_s,
    from power_steps
    group by power_steps.device, power_steps.component
),

compared as (
    select
        registers.meter,
        registers.meter_role,
        registers.device,
        registers.component,
        registers.energy_wh,
        registers.resolution_wh,
        integrals.sampling_error_wh,
        integrals.average_w / 3600
        * seconds_between(registers.period_start_at, registers.period_end_at) as integrated_wh,
    from registers
    inner join integrals using (device, component)
    where
        integrals.step_s
        >= 0.9 * seconds_between(registers.period_start_at, registers.period_end_at)
),

final as (
    select
        compared.*,
        (
            abs(compared.integrated_wh - compared.energy_wh)
            - compared.resolution_wh
            - compared.sampling_error_wh
        )
        / abs(compared.energy_wh) as unexplained_ratio,
        unexplained_ratio > 0.03 as is_alarm,
    from compared
    where unexplained_ratio > 0.01
)

select * from final
);
