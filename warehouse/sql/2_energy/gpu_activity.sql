-- One row: the GPUs of a place in a period, each seen through polls that gave its power.
-- A GPU is a component gpu.* of a device with the role gpu_node; place: see place_of.
-- gpus_powered: GPUs that reported power above 0. gpu_mw_avg: sum of the GPUs' mean powers, MW.
-- *_kwh_share: share (0..1) of the GPUs' energy spent while multiprocessors or tensor pipes were
-- active (energy x activity), and while a GPU idled (multiprocessors active for less than 5 % of
-- the time); null where no poll told both. Polls of a GPU being even in time, their power stands
-- for energy. power_cap_loss_ratio: share of time that a GPU was held down by its power limit, on
-- average: by its counter of such time, else the share of polls with that reason (bit 4).
-- peak_pflops, estimated_pflops: sum over the GPUs powered of what their model can do at
-- peak_arithmetic (see gpu_peaks), and of that times tensor_active: at most what they did, as a
-- tensor pipe that is active need not be full. Both null where pflops_reason says why.
create or replace macro gpu_activity(
    from_at, to_at, grain := 'window', scope := 'site', peak_arithmetic := 'bf16'
) as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

nodes as (
    select
        device_versions.device,
        place_of(
            scope, device_versions.hall, device_versions.row, device_versions.rack
        ) as place,
        device_versions.valid_from_at,
        device_versions.valid_to_at,
    from device_versions
    where
        device_versions.device_role = 'gpu_node'
        and device_versions.valid_from_at < to_at::timestamptz
        and device_versions.valid_to_at > from_at::timestamptz
        and place is not null
),

places as (
    select distinct nodes.place from nodes
    union
    select 'site' where known_scope(scope) = 'site'
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
        max(usable_readings.value) filter (
            usable_readings.quantity = 'clock_event_reasons_code'
        )::bigint & 4 > 0 as is_capped,
    from usable_readings
    semi join nodes using (device)
    where
        usable_readings.quantity in (
            'active_power_w',
            'sm_active_ratio',
            'tensor_active_ratio',
            'clock_event_reasons_code'
        )
        and usable_readings.component like 'gpu.%'
        and usable_readings.ts >= from_at::timestamptz
        and usable_readings.ts < to_at::timestamptz
    group by usable_readings.device, usable_readings.component, usable_readings.ts
),

gpus as (
    select
        periods.period_start_at,
        periods.period_end_at,
        nodes.place,
        polls.device,
        polls.component,
        avg(polls.power_w) as power_w,
        avg(polls.power_w) filter (polls.sm_active_ratio is not null) as sm_known_w,
        avg(polls.power_w * polls.sm_active_ratio) as sm_active_w,
        avg(polls.power_w * (polls.sm_active_ratio < 0.05)::integer) as idle_w,
        avg(polls.power_w) filter (polls.tensor_active_ratio is not null) as tensor_known_w,
        avg(polls.power_w * polls.tensor_active_ratio) as tensor_active_w,
        avg(polls.tensor_active_ratio) as tensor_active_ratio,
        avg(polls.is_capped::integer) as capped_ratio,
    from polls
    inner join periods
        on polls.read_at >= periods.period_start_at
        and polls.read_at < periods.period_end_at
    inner join nodes
        on polls.device = nodes.device
        and polls.read_at >= nodes.valid_from_at
        and polls.read_at < nodes.valid_to_at
    group by all
),

held_down as (
    select
        counter_amounts.device,
        counter_amounts.component,
        counter_amounts.period_start_at,
        counter_amounts.amount / (
            counter_amounts.measured_ratio
            * seconds_between(counter_amounts.period_start_at, counter_amounts.period_end_at)
        ) as capped_ratio,
    from counter_amounts(
        from_at, to_at, 'power_violation_s', 'gpu_node', grain, 'gpu.%'
    ) as counter_amounts
    where counter_amounts.measured_ratio > 0
),

stated as (
    select * from period_factors(from_at, to_at, grain)
),

gpu_facts as (
    select
        gpus.*,
        coalesce(held_down.capped_ratio, gpus.capped_ratio) as held_down_ratio,
        coalesce(of_device.text, of_role.text) as gpu_model,
        coalesce(corrected.value, gpu_peaks.peak_pflops) as peak_pflops,
    from gpus
    left join held_down using (device, component, period_start_at)
    left join stated as of_device
        on of_device.factor = 'gpu_model'
        and gpus.device = of_device.subject
        and gpus.period_start_at = of_device.period_start_at
    left join stated as of_role
        on of_role.factor = 'gpu_model'
        and of_role.subject = 'gpu_node'
        and gpus.period_start_at = of_role.period_start_at
    left join stated as corrected
        on corrected.factor = 'gpu_peak_pflops'
        and coalesce(of_device.text, of_role.text) || '/' || peak_arithmetic = corrected.subject
        and gpus.period_start_at = corrected.period_start_at
    left join gpu_peaks
        on coalesce(of_device.text, of_role.text) = gpu_peaks.gpu_model
        and peak_arithmetic = gpu_peaks.arithmetic
),

sums as (
    select
        gpu_facts.place,
        gpu_facts.period_start_at,
        count(*) filter (gpu_facts.power_w > 0) as gpus_powered,
        sum(gpu_facts.power_w) / 1e6 as gpu_mw_avg,
        sum(gpu_facts.sm_active_w) / nullif(sum(gpu_facts.sm_known_w), 0) as sm_active_kwh_share,
        sum(gpu_facts.tensor_active_w) / nullif(sum(gpu_facts.tensor_known_w), 0)
            as tensor_active_kwh_share,
        sum(gpu_facts.idle_w) / nullif(sum(gpu_facts.sm_known_w), 0) as gpu_idle_kwh_share,
        avg(gpu_facts.held_down_ratio) filter (gpu_facts.power_w > 0) as power_cap_loss_ratio,
        sum(gpu_facts.peak_pflops) filter (gpu_facts.power_w > 0) as peak_pflops,
        sum(gpu_facts.peak_pflops * gpu_facts.tensor_active_ratio) filter (
            gpu_facts.power_w > 0
        ) as estimated_pflops,
        list(distinct gpu_facts.device order by gpu_facts.device) filter (
            gpu_facts.power_w > 0 and gpu_facts.gpu_model is null
        ) as without_model,
        list(distinct gpu_facts.gpu_model order by gpu_facts.gpu_model) filter (
            gpu_facts.power_w > 0 and gpu_facts.peak_pflops is null
        ) as without_peak,
        count(*) filter (
            gpu_facts.power_w > 0 and gpu_facts.tensor_active_ratio is null
        ) as without_tensor,
    from gpu_facts
    group by gpu_facts.place, gpu_facts.period_start_at
),

explained as (
    select
        sums.*,
        case
            when len(coalesce(sums.without_model, [])) > 0
                then 'no gpu_model is stated for ' || named(sums.without_model)
            when len(coalesce(sums.without_peak, [])) > 0
                then 'no peak at ' || peak_arithmetic || ' is known of '
                || named(sums.without_peak)
        end as pflops_reason,
    from sums
),

final as (
    select
        places.place,
        coalesce(explained.gpus_powered, 0) as gpus_powered,
        explained.gpu_mw_avg,
        explained.sm_active_kwh_share,
        explained.tensor_active_kwh_share,
        explained.gpu_idle_kwh_share,
        explained.power_cap_loss_ratio,
        if(explained.pflops_reason is null, explained.peak_pflops, null) as peak_pflops,
        if(
            explained.pflops_reason is null and explained.without_tensor = 0,
            explained.estimated_pflops,
            null
        ) as estimated_pflops,
        coalesce(
            explained.pflops_reason,
            if(
                explained.without_tensor > 0,
                'no tensor_active_ratio of ' || explained.without_tensor || ' of the GPUs',
                null
            )
        ) as pflops_reason,
        periods.period_start_at,
        periods.period_end_at,
    from periods
    cross join places
    left join explained using (place, period_start_at)
)

select * from final
);
