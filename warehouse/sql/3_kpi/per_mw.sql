-- One row: what a period got from its megawatts; each figure says by its name which they are:
-- _utility what the grid delivered, _it_1, _it_2, _it_3 the IT energy of the PUE category,
-- _provisioned the contracted or nameplate power.
-- mw_*_avg: energy over hours, MW, null where a meter's energy is not complete (`missing_meters`).
-- gpus_*: GPUs that reported power, and per MW. *_share: see gpu_activity. stranded_mw:
-- provisioned less the highest quarter of an hour of the utility's power, among the quarters that
-- lie in the period whole; null where there is none.
create or replace macro per_mw(from_at, to_at, grain := 'window') as table (
with

activity as (
    select * from gpu_activity(from_at, to_at, grain)
),

totals as (
    select
        boundary_energy.*,
        if(
            len(boundary_energy.missing_meters) = 0 and len(boundary_energy.empty_roles) = 0,
            boundary_energy.energy_wh * 3600 / 1e6 / seconds_between(
                boundary_energy.period_start_at, boundary_energy.period_end_at
            ),
            null
        ) as average_mw,
    from boundary_energy(from_at, to_at, grain) as boundary_energy
),

powers as (
    select
        totals.period_start_at,
        max(totals.average_mw) filter (totals.total = 'utility') as mw_utility_avg,
        max(totals.average_mw) filter (totals.category = 1) as mw_it_1_avg,
        max(totals.average_mw) filter (totals.category = 2) as mw_it_2_avg,
        max(totals.average_mw) filter (totals.category = 3) as mw_it_3_avg,
        list_sort(list_distinct(flatten(list(totals.missing_meters)))) as missing_meters,
    from totals
    where totals.total <> 'e_dc'
    group by totals.period_start_at
),

quarters as (
    select
        energy.period_start_at as quarter_start_at,
        energy.period_end_at as quarter_end_at,
        sum(energy.energy_wh) / 0.25 / 1e6 as utility_mw,
    from energy(from_at, to_at, '15 minutes', 'utility') as energy
    where seconds_between(energy.period_start_at, energy.period_end_at) = 900
    group by energy.period_start_at, energy.period_end_at
    having bool_and(energy.is_complete)
),

peaks as (
    select
        activity.period_start_at,
        max(quarters.utility_mw) as utility_mw,
    from activity
    inner join quarters
        on quarters.quarter_start_at >= activity.period_start_at
        and quarters.quarter_end_at <= activity.period_end_at
    group by activity.period_start_at
),

joined as (
    select
        activity.*,
        powers.* exclude (period_start_at),
        site_versions.provisioned_w / 1e6 as mw_provisioned,
        peaks.utility_mw as mw_utility_peak,
    from activity
    left join powers using (period_start_at)
    left join peaks using (period_start_at)
    left join site_versions
        on activity.period_end_at > site_versions.valid_from_at
        and activity.period_end_at <= site_versions.valid_to_at
),

final as (
    select
        joined.gpus_powered,
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
        joined.gpu_mw_avg,
        joined.sm_active_kwh_share,
        joined.tensor_active_kwh_share,
        joined.gpu_idle_kwh_share,
        joined.mw_utility_peak,
        joined.mw_provisioned - joined.mw_utility_peak as stranded_mw,
        joined.missing_meters,
        joined.period_start_at,
        joined.period_end_at,
    from joined
)

select * from final
);
