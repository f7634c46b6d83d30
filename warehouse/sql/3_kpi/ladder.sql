-- One row: a stage of the way from the utility's meter to the GPU board in a period.
-- energy_kwh: kWh of all meters of the stage. The rest is of the step from from_stage, the metered
-- stage before: entered_kwh less left_kwh (to cooling, other loads, later stages) less arrived_kwh
-- is loss_kwh; parallel branches are summed, branches that do not lead to this stage left out.
-- efficiency_ratio = arrived / (entered - left), a ratio of sums; cumulative_ratio: product of
-- those so far. expected_loss_ratio: what the parts between typically lose (loss_band_versions);
-- closes: the loss differs from that by at most 3 % of what went in. error_kwh: balance_error_wh of
-- the step's meters. reason: why there is no figure. The board is GPU boards only: all else in a
-- rack (CPUs, switches, fans, conversion) is loss there, so nothing is expected. The power tree is
-- that of the window's end.
create or replace macro ladder(from_at, to_at, grain := 'window') as table (
with

stages as (
    select stages.*
    from (
        values
        (1, 'utility', 'utility'),
        (2, 'MV', 'mv_output'),
        (3, 'UPS out', 'ups_output'),
        (4, 'PDU out', 'pdu_output'),
        (5, 'rack in', 'it_input'),
        (6, 'shelf out', 'shelf_output'),
        (7, 'board', null)
    ) as stages (stage_order, stage, meter_role)
),

periods as (
    select * from buckets(from_at, to_at, grain)
),

site as (
    select coalesce(any_value(site_versions.minimum_coverage_ratio), 0.99) as minimum_coverage_ratio
    from site_versions
    where
        site_versions.valid_from_at < to_at::timestamptz
        and site_versions.valid_to_at >= to_at::timestamptz
),

energies as materialized (
    select
        energy.period_start_at,
        energy.meter,
        null as node,
        ladder_order(energy.meter_role) as stage_order,
        if(energy.meter_role = 'export', -1, 1) as sign,
        coalesce(energy.energy_wh, 0) as energy_wh,
        coalesce(energy.resolution_wh, 0) as resolution_wh,
        energy.accuracy_class / 100 * abs(coalesce(energy.energy_wh, 0)) as accuracy_wh,
        energy.coverage_ratio,
        energy.is_complete,
    from energy(from_at, to_at, grain) as energy
    union all
    select
        gpu_energy.period_start_at,
        null,
        gpu_energy.device,
        7,
        1,
        coalesce(gpu_energy.energy_wh, 0),
        0,
        0,
        gpu_energy.coverage_ratio,
        true,
    from gpu_energy(from_at, to_at, grain) as gpu_energy
),

steps as materialized (
    select
        ladder_steps.* replace (coalesce(ladder_steps.meter, ladder_steps.node) as meter),
    from ladder_steps(to_at) as ladder_steps
),

totals as (
    select
        energies.period_start_at,
        energies.stage_order,
        count(*) as meters,
        sum(energies.sign * energies.energy_wh) as energy_wh,
        avg(energies.coverage_ratio) as coverage_ratio,
        list(energies.meter order by energies.meter) filter (not energies.is_complete) as missing,
    from energies
    where energies.stage_order is not null
    group by energies.period_start_at, energies.stage_order
),

flows as (
    select
        energies.period_start_at,
        steps.stage_order,
        steps.from_order,
        coalesce(sum(steps.sign * energies.energy_wh) filter (steps.way = 'enters'), 0)
            as entered_wh,
        coalesce(sum(energies.energy_wh) filter (steps.way = 'leaves'), 0) as left_wh,
        coalesce(sum(energies.energy_wh) filter (steps.way = 'arrives'), 0) as arrived_wh,
        sum(energies.energy_wh * steps.expected_ratio) filter (steps.way = 'arrives')
        / nullif(sum(energies.energy_wh) filter (steps.way = 'arrives'), 0) as expected_ratio,
        balance_error_wh(
            sum(energies.resolution_wh),
            sum(energies.accuracy_wh),
            sum(power(energies.accuracy_wh, 2))
        ) as error_wh,
        list(distinct energies.meter order by energies.meter) filter (not energies.is_complete)
            as missing,
    from steps
    inner join energies
        on steps.meter = coalesce(energies.meter, energies.node)
    group by energies.period_start_at, steps.stage_order, steps.from_order
),

joined as (
    select
        periods.period_start_at,
        periods.period_end_at,
        stages.*,
        coalesce(totals.meters, 0) as meters,
        totals.energy_wh,
        coalesce(totals.coverage_ratio, 0) as coverage_ratio,
        site.minimum_coverage_ratio,
        earlier.stage as from_stage,
        flows.* exclude (period_start_at, stage_order, from_order, missing),
        flows.entered_wh - flows.left_wh as through_wh,
        list_sort(list_distinct(coalesce(totals.missing, []) || coalesce(flows.missing, [])))
            as missing_meters,
    from periods
    cross join stages
    cross join site
    left join totals using (period_start_at, stage_order)
    left join flows using (period_start_at, stage_order)
    left join stages as earlier on flows.from_order = earlier.stage_order
),

explained as (
    select
        joined.*,
        case
            when joined.meters = 0 and joined.stage_order = 7 then 'no device has the role gpu_node'
            when joined.meters = 0 then 'no meter has the role ' || joined.meter_role
            when len(joined.missing_meters) > 0
                then len(joined.missing_meters) || ' of the meters gave too little: '
                || shortened(joined.missing_meters)
            when joined.coverage_ratio < joined.minimum_coverage_ratio
                then 'coverage ' || round(joined.coverage_ratio, 4)
                || ' is under the site''s minimum of ' || joined.minimum_coverage_ratio
            when joined.stage_order > 1 and joined.from_stage is null
                then 'the power path leads to it from no metered stage'
            when joined.stage_order > 1 and joined.through_wh <= 0
                then 'nothing came from ' || joined.from_stage
        end as reason,
        if(
            reason is null and joined.stage_order > 1,
            joined.arrived_wh / joined.through_wh,
            null
        ) as efficiency_ratio,
        1 - efficiency_ratio - joined.expected_ratio as off_ratio,
    from joined
),

final as (
    select
        explained.stage_order,
        explained.stage,
        explained.meters,
        explained.energy_wh / 1000 as energy_kwh,
        explained.from_stage,
        explained.entered_wh / 1000 as entered_kwh,
        explained.left_wh / 1000 as left_kwh,
        explained.arrived_wh / 1000 as arrived_kwh,
        if(
            explained.efficiency_ratio is null,
            null,
            (explained.through_wh - explained.arrived_wh) / 1000
        ) as loss_kwh,
        explained.efficiency_ratio,
        -- a stage without meters is passed over, one without a figure ends the product
        if(
            explained.reason is null
            and bool_and(
                (explained.reason is null or explained.meters = 0)
                and coalesce(explained.efficiency_ratio, 1) > 0
            ) over down_to_here,
            exp(sum(ln(greatest(coalesce(explained.efficiency_ratio, 1), 1e-9))) over down_to_here),
            null
        ) as cumulative_ratio,
        explained.expected_ratio as expected_loss_ratio,
        abs(explained.off_ratio) <= 0.03 as closes,
        explained.error_wh / 1000 as error_kwh,
        explained.coverage_ratio,
        explained.missing_meters,
        explained.reason,
        explained.period_start_at,
        explained.period_end_at,
    from explained
    window down_to_here as (
        partition by explained.period_start_at
        order by explained.stage_order
    )
)

select * from final
);
