-- One row: what a place got from its megawatts in a period; each figure says by its name which
-- they are: _utility what the grid delivered, _it_1, _it_2, _it_3 the IT energy of the PUE
-- category as metered in the place, _provisioned the contracted or nameplate power. Only the site
-- has _utility, _provisioned, the peak and stranded_mw.
-- scope: 'site', or a row for each 'hall', 'row' or 'rack'; place: see place_of.
-- mw_*_avg: energy over hours, MW, null where a meter's energy is not complete (`missing_meters`).
-- gpus_*: GPUs that reported power, and per MW. *_share, power_cap_loss_ratio, pflops_*: see
-- gpu_activity; peak_arithmetic: of which arithmetic. tokens_*, goodput_*: see inference_service;
-- tokens are output tokens; ttft_slo_s, tpot_slo_s: as asked. goodput_low_*, goodput_high_*: at
-- least, at most, tokens per second and MW. j_per_token: J. chip_fraction_*: energy of GPUs and
-- CPUs (chip_energy) over the other. ramp_mw_per_s: see power_ramps. stranded_mw: provisioned less
-- the highest quarter of an hour of the utility's power, among the quarters that lie in the period
-- whole; null where there is none. reason: what is missing of all that.
create or replace macro per_mw(
    from_at,
    to_at,
    grain := 'window',
    scope := 'site',
    ttft_slo_s := 2.0,
    tpot_slo_s := 0.2,
    peak_arithmetic := 'bf16'
) as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

places as (
    select distinct
        place_of(
            scope, device_versions.hall, device_versions.row, device_versions.rack
        ) as place,
    from device_versions
    where
        device_versions.valid_from_at < to_at::timestamptz
        and device_versions.valid_to_at > from_at::timestamptz
        and place is not null
    union
    select 'site' where known_scope(scope) = 'site'
),

activity as (
    select * exclude (period_end_at)
    from gpu_activity(from_at, to_at, grain, scope, peak_arithmetic)
),

service as (
    select * exclude (period_end_at)
    from inference_service(from_at, to_at, grain, scope, ttft_slo_s, tpot_slo_s)
),

chips as (
    select
        chip_energy.place,
        chip_energy.period_start_at,
        chip_energy.gpu_wh + coalesce(chip_energy.cpu_wh, 0) as chip_wh,
    from chip_energy(from_at, to_at, grain, scope) as chip_energy
),

ramps as (
    select * exclude (period_end_at) from power_ramps(from_at, to_at, grain, scope)
),

totals as (
    select
        place_energy.place,
        place_energy.period_start_at,
        max(place_energy.energy_wh) filter (place_energy.total = 'utility') as utility_wh,
        max(place_energy.energy_wh) filter (place_energy.category = 1) as it_1_wh,
        max(place_energy.energy_wh) filter (place_energy.category = 2) as it_2_wh,
        max(place_energy.energy_wh) filter (place_energy.category = 3) as it_3_wh,
        list_sort(list_distinct(flatten(list(place_energy.missing_meters)))) as missing_meters,
    from place_energy(from_at, to_at, grain, scope) as place_energy
    group by place_energy.place, place_energy.period_start_at
),

quarters as (
    select
        energy.period_start_at as quarter_start_at,
        energy.period_end_at as quarter_end_at,
        sum(energy.energy_wh) / 0.25 / 1e6 as utility_mw,
    from energy(from_at, to_at, '15 minutes', 'utility') as energy
    where
        seconds_between(energy.period_start_at, energy.period_end_at) = 900
        and scope = 'site'
    group by energy.period_start_at, energy.period_end_at
    having bool_and(energy.is_complete)
),

peaks as (
    select
        periods.period_start_at,
        max(quarters.utility_mw) as utility_mw,
    from periods
    inner join quarters
        on quarters.quarter_start_at >= periods.period_start_at
        and quarters.quarter_end_at <= periods.period_end_at
    group by periods.period_start_at
),

joined as (
    select
        places.place,
        periods.period_start_at,
        periods.period_end_at,
        seconds_between(periods.period_start_at, periods.period_end_at) as period_s,
        totals.* exclude (place, period_start_at),
        totals.utility_wh / period_s * 3600 / 1e6 as mw_utility_avg,
        totals.it_1_wh / period_s * 3600 / 1e6 as mw_it_1_avg,
        totals.it_2_wh / period_s * 3600 / 1e6 as mw_it_2_avg,
        totals.it_3_wh / period_s * 3600 / 1e6 as mw_it_3_avg,
        if(scope = 'site', site_versions.provisioned_w / 1e6, null) as mw_provisioned,
        activity.* exclude (place, period_start_at),
        service.* exclude (place, period_start_at, coverage_ratio),
        service.output_tokens / period_s as tokens_per_s,
        service.goodput_low_tokens / period_s as goodput_low,
        service.goodput_high_tokens / period_s as goodput_high,
        chips.chip_wh,
        ramps.ramp_mw_per_s,
        ramps.ramp_meter,
        peaks.utility_mw as mw_utility_peak,
    from periods
    cross join places
    left join totals using (place, period_start_at)
    left join activity using (place, period_start_at)
    left join service using (place, period_start_at)
    left join chips using (place, period_start_at)
    left join ramps using (place, period_start_at)
    left join peaks using (period_start_at)
    left join site_versions
        on periods.period_end_at > site_versions.valid_from_at
        and periods.period_end_at <= site_versions.valid_to_at
),

final as (
    select
        joined.place,
        coalesce(joined.gpus_powered, 0) as gpus_powered,
        joined.mw_utility_avg,
        joined.mw_it_1_avg,
        joined.mw_it_2_avg,
        joined.mw_it_3_avg,
        joined.mw_provisioned,
        joined.gpus_powered / nullif(joined.mw_utility_avg, 0) as gpus_per_mw_utility,
        joined.gpus_powered / nullif(joined.mw_it_1_avg, 0) as gpus_per_mw_it_1,
        joined.gpus_powered / nullif(joined.mw_it_2_avg, 0) as gpus_per_mw_it_2,
        joined.gpus_powered / nullif(joined.mw_it_3_avg, 0) as gpus_per_mw_it_3,
        joined.gpus_powered / nullif(joined.mw_provisioned, 0) as gpus_per_mw_provisioned,
        joined.tokens_per_s,
        joined.tokens_per_s / nullif(joined.mw_utility_avg, 0) as tokens_per_s_per_mw_utility,
        joined.tokens_per_s / nullif(joined.mw_it_1_avg, 0) as tokens_per_s_per_mw_it_1,
        joined.tokens_per_s / nullif(joined.mw_it_2_avg, 0) as tokens_per_s_per_mw_it_2,
        joined.tokens_per_s / nullif(joined.mw_it_3_avg, 0) as tokens_per_s_per_mw_it_3,
        joined.tokens_per_s / nullif(joined.mw_provisioned, 0) as tokens_per_s_per_mw_provisioned,
        joined.output_tokens * 1000 / nullif(joined.utility_wh, 0) as tokens_per_kwh_utility,
        joined.output_tokens * 1000 / nullif(joined.it_1_wh, 0) as tokens_per_kwh_it_1,
        joined.output_tokens * 1000 / nullif(joined.it_2_wh, 0) as tokens_per_kwh_it_2,
        joined.output_tokens * 1000 / nullif(joined.it_3_wh, 0) as tokens_per_kwh_it_3,
        joined.utility_wh * 3600 / nullif(joined.output_tokens, 0) as j_per_token_utility,
        joined.it_1_wh * 3600 / nullif(joined.output_tokens, 0) as j_per_token_it_1,
        joined.it_2_wh * 3600 / nullif(joined.output_tokens, 0) as j_per_token_it_2,
        joined.it_3_wh * 3600 / nullif(joined.output_tokens, 0) as j_per_token_it_3,
        ttft_slo_s::double as ttft_slo_s,
        tpot_slo_s::double as tpot_slo_s,
        joined.ttft_in_slo_ratio,
        joined.tpot_in_slo_ratio,
        joined.goodput_low / nullif(joined.mw_utility_avg, 0) as goodput_low_per_mw_utility,
        joined.goodput_low / nullif(joined.mw_it_1_avg, 0) as goodput_low_per_mw_it_1,
        joined.goodput_low / nullif(joined.mw_it_2_avg, 0) as goodput_low_per_mw_it_2,
        joined.goodput_low / nullif(joined.mw_it_3_avg, 0) as goodput_low_per_mw_it_3,
        joined.goodput_low / nullif(joined.mw_provisioned, 0) as goodput_low_per_mw_provisioned,
        joined.goodput_high / nullif(joined.mw_utility_avg, 0) as goodput_high_per_mw_utility,
        joined.goodput_high / nullif(joined.mw_it_1_avg, 0) as goodput_high_per_mw_it_1,
        joined.goodput_high / nullif(joined.mw_it_2_avg, 0) as goodput_high_per_mw_it_2,
        joined.goodput_high / nullif(joined.mw_it_3_avg, 0) as goodput_high_per_mw_it_3,
        joined.goodput_high / nullif(joined.mw_provisioned, 0) as goodput_high_per_mw_provisioned,
        peak_arithmetic as peak_arithmetic,
        joined.peak_pflops / nullif(joined.mw_utility_avg, 0) as pflops_peak_per_mw_utility,
        joined.peak_pflops / nullif(joined.mw_it_1_avg, 0) as pflops_peak_per_mw_it_1,
        joined.peak_pflops / nullif(joined.mw_it_2_avg, 0) as pflops_peak_per_mw_it_2,
        joined.peak_pflops / nullif(joined.mw_it_3_avg, 0) as pflops_peak_per_mw_it_3,
        joined.peak_pflops / nullif(joined.mw_provisioned, 0) as pflops_peak_per_mw_provisioned,
        joined.estimated_pflops / nullif(joined.mw_utility_avg, 0) as pflops_est_per_mw_utility,
        joined.estimated_pflops / nullif(joined.mw_it_1_avg, 0) as pflops_est_per_mw_it_1,
        joined.estimated_pflops / nullif(joined.mw_it_2_avg, 0) as pflops_est_per_mw_it_2,
        joined.estimated_pflops / nullif(joined.mw_it_3_avg, 0) as pflops_est_per_mw_it_3,
        joined.estimated_pflops / nullif(joined.mw_provisioned, 0)
            as pflops_est_per_mw_provisioned,
        joined.gpu_mw_avg,
        joined.sm_active_kwh_share,
        joined.tensor_active_kwh_share,
        joined.gpu_idle_kwh_share,
        joined.power_cap_loss_ratio,
        joined.chip_wh / nullif(joined.utility_wh, 0) as chip_fraction_utility,
        joined.chip_wh / nullif(joined.it_1_wh, 0) as chip_fraction_it_1,
        joined.chip_wh / nullif(joined.it_2_wh, 0) as chip_fraction_it_2,
        joined.chip_wh / nullif(joined.it_3_wh, 0) as chip_fraction_it_3,
        joined.ramp_mw_per_s,
        joined.ramp_meter,
        joined.mw_utility_peak,
        joined.mw_provisioned - joined.mw_utility_peak as stranded_mw,
        coalesce(joined.missing_meters, []) as missing_meters,
        nullif(
            concat_ws(
                '; ',
                if(
                    len(joined.missing_meters) > 0,
                    'too little was read of ' || named(joined.missing_meters),
                    null
                ),
                if(joined.servers is null, 'tokens: no inference server stands here', null),
                if(
                    len(joined.missing_servers) > 0,
                    'tokens: too little was read of ' || named(joined.missing_servers),
                    null
                ),
                if(
                    len(joined.missing_servers) = 0,
                    'goodput: ' || joined.goodput_reason,
                    null
                ),
                'pflops: ' || joined.pflops_reason
            ),
            ''
        ) as reason,
        joined.period_start_at,
        joined.period_end_at,
    from joined
)

select * from final
);
