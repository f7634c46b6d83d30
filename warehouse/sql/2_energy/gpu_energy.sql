-- One row: the GPUs of a node in a period, and the energy of their boards.
-- A GPU is a component gpu.* of a device with the role gpu_node. energy_wh: Wh, of each GPU the
-- rise of its energy counter from the period's first reading to its last, or, where there is none
-- or it was set back (driver reload), its mean power times that time; the edges, at most a poll
-- interval each, at the same rate, and nothing beyond. by_power: GPUs of which power had to do.
-- coverage_ratio: share of the period that polls gave a reading for. Voltage regulators on a board
-- count as the chip.
create or replace macro gpu_energy(from_at, to_at, grain := 'window') as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

nodes as (
    select
        device_versions.device,
        arg_max(device_versions.interval_s, device_versions.valid_from_at) as interval_s,
    from device_versions
    where
        device_versions.device_role = 'gpu_node'
        and device_versions.valid_from_at < to_at::timestamptz
        and device_versions.valid_to_at > from_at::timestamptz
    group by device_versions.device
),

-- one pass over both quantities
seen as (
    select
        periods.period_start_at,
        usable_readings.device,
        usable_readings.component,
        usable_readings.quantity,
        any_value(periods.period_end_at) as period_end_at,
        any_value(nodes.interval_s) as interval_s,
        count(*) as readings,
        min(usable_readings.ts) as first_at,
        max(usable_readings.ts) as last_at,
        arg_min(usable_readings.value, usable_readings.ts) as first_value,
        arg_max(usable_readings.value, usable_readings.ts) as last_value,
        min(usable_readings.value) as lowest,
        max(usable_readings.value) as highest,
        avg(usable_readings.value) as mean,
    from usable_readings
    inner join nodes using (device)
    inner join periods
        on usable_readings.ts >= periods.period_start_at
        and usable_readings.ts < periods.period_end_at
    where
        usable_readings.quantity in ('energy_imported_wh', 'active_power_w')
        and usable_readings.component like 'gpu.%'
        and usable_readings.component not like '%/%'
        and usable_readings.ts >= from_at::timestamptz
        and usable_readings.ts < to_at::timestamptz
    group by
        periods.period_start_at,
        usable_readings.device,
        usable_readings.component,
        usable_readings.quantity
),

rates as (
    select
        seen.*,
        seconds_between(seen.period_start_at, seen.period_end_at) as period_s,
        seconds_between(seen.first_at, seen.last_at)
        + least(seconds_between(seen.period_start_at, seen.first_at), seen.interval_s)
        + least(seconds_between(seen.last_at, seen.period_end_at), seen.interval_s) as covered_s,
        case
            when seen.quantity = 'active_power_w' then seen.mean
            when
                seen.last_at > seen.first_at
                and seen.lowest = seen.first_value
                and seen.highest = seen.last_value
                then (seen.last_value - seen.first_value) * 3600
                / seconds_between(seen.first_at, seen.last_at)
        end as rate_w,
    from seen
),

gpus as (
    select
        rates.period_start_at,
        rates.device,
        rates.component,
        -- the counter, where it can be told, is taken first
        arg_min(rates.rate_w * rates.covered_s / 3600, rates.quantity <> 'energy_imported_wh')
            filter (rates.rate_w is not null) as energy_wh,
        bool_and(rates.quantity <> 'energy_imported_wh') filter (rates.rate_w is not null)
            as is_by_power,
        max(least(rates.covered_s, rates.readings * rates.interval_s) / rates.period_s)
            as coverage_ratio,
    from rates
    group by rates.period_start_at, rates.device, rates.component
),

sums as (
    select
        gpus.period_start_at,
        gpus.device,
        count(*) as gpus,
        count(*) filter (gpus.is_by_power) as by_power,
        sum(gpus.energy_wh) as energy_wh,
        avg(gpus.coverage_ratio) as coverage_ratio,
    from gpus
    group by gpus.period_start_at, gpus.device
),

final as (
    select
        nodes.device,
        coalesce(sums.gpus, 0) as gpus,
        coalesce(sums.by_power, 0) as by_power,
        sums.energy_wh,
        coalesce(sums.coverage_ratio, 0) as coverage_ratio,
        periods.period_start_at,
        periods.period_end_at,
    from periods
    cross join nodes
    left join sums using (period_start_at, device)
)

select * from final
);
