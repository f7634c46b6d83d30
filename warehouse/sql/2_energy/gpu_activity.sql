-- One row: the GPUs of the site in a period, each seen through polls that gave its power.
-- A GPU is a component gpu.* of a device with the role gpu_node. gpus_powered: GPUs that reported
-- power above 0. gpu_mw_avg: sum of the GPUs' mean powers, MW. *_kwh_share: share (0..1) of the
-- GPUs' energy spent while multiprocessors or tensor pipes were active (energy x activity), and
-- while a GPU idled (multiprocessors active for less than 5 % of the time); null where no poll
-- told both. Polls of a GPU being even in time, their power stands for energy.
create or replace macro gpu_activity(from_at, to_at, grain := 'window') as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

nodes as (
    select distinct device_versions.device
    from device_versions
    where
        device_versions.device_role = 'gpu_node'
        and device_versions.valid_from_at < to_at::timestamptz
        and device_versions.valid_to_at > from_at::timestamptz
),

polls as (
    select
        usable_readings.device,
        usable_readings.component,
        usable_readings.ts as read_at,
        max(usable_readings.value) filter (
            usable_readings.quantity = 'active_power_w'
        ) as power_w,
        max(usable_readings.value) filter (
            usable_readings.quantity = 'sm_active_ratio'
        ) as sm_active_ratio,
        max(usable_readings.value) filter (
            usable_readings.quantity = 'tensor_active_ratio'
        ) as tensor_active_ratio,
    from usable_readings
    semi join nodes using (device)
    where
        usable_readings.quantity in ('active_power_w', 'sm_active_ratio', 'tensor_active_ratio')
        and usable_readings.component like 'gpu.%'
        and usable_readings.ts >= from_at::timestamptz
        and usable_readings.ts < to_at::timestamptz
    group by usable_readings.device, usable_readings.component, usable_readings.ts
),

gpus as (
    select
        periods.period_start_at,
        polls.component,
        avg(polls.power_w) as power_w,
        avg(polls.power_w) filter (polls.sm_active_ratio is not null) as sm_known_w,
        avg(polls.power_w * polls.sm_active_ratio) as sm_active_w,
        avg(polls.power_w * (polls.sm_active_ratio < 0.05)::integer) as idle_w,
        avg(polls.power_w) filter (polls.tensor_active_ratio is not null) as tensor_known_w,
        avg(polls.power_w * polls.tensor_active_ratio) as tensor_active_w,
    from polls
    inner join periods
        on polls.read_at >= periods.period_start_at
        and polls.read_at < periods.period_end_at
    group by periods.period_start_at, polls.component
),

sums as (
    select
        gpus.period_start_at,
        count(*) filter (gpus.power_w > 0) as gpus_powered,
        sum(gpus.power_w) / 1e6 as gpu_mw_avg,
        sum(gpus.sm_active_w) / nullif(sum(gpus.sm_known_w), 0) as sm_active_kwh_share,
        sum(gpus.tensor_active_w) / nullif(sum(gpus.tensor_known_w), 0)
            as tensor_active_kwh_share,
        sum(gpus.idle_w) / nullif(sum(gpus.sm_known_w), 0) as gpu_idle_kwh_share,
    from gpus
    group by gpus.period_start_at
),

final as (
    select
        coalesce(sums.gpus_powered, 0) as gpus_powered,
        sums.gpu_mw_avg,
        sums.sm_active_kwh_share,
        sums.tensor_active_kwh_share,
        sums.gpu_idle_kwh_share,
        periods.period_start_at,
        periods.period_end_at,
    from periods
    left join sums using (period_start_at)
)

select * from final
);
