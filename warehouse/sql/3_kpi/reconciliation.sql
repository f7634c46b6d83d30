-- One row: a meter in a period, by default a local day, and what its register and its power say of
-- the energy: they must agree, or a ratio, sign, word order or scale is wrong.
-- register_wh: difference of the register. integrated_wh: its power readings integrated, scaled up
-- to the whole period where up to a tenth of it was not read. difference_ratio: integrated over
-- register, less 1. unexplained_ratio: the part of it that neither resolution_wh (the register's
-- step and edges) nor sampling_error_wh (at most the root of the sum of squares of what each change
-- of power leaves open) explains. verdict: `agrees`, `differs` from 1 % unexplained on, `alarm`
-- from 3 % on; null where reason says why the two cannot be compared. grain, basis: see energy.
create or replace macro reconciliation(
    from_at, to_at, grain := 'day', roles := 'all', basis := 'roll-ups'
) as table (
with

points as (
    select *
    from metered_points(from_at, to_at, roles) as metered_points
    where metered_points.resolution_wh is not null
),

registers as (
    select * from register_energy(from_at, to_at, grain, roles, basis)
),

powers as (
    select *
    from power_energy(
        from_at,
        to_at,
        grain,
        roles,
        basis,
        (
            select list({'device': points.device, 'component': points.component})
            from points
        )
    )
),

parts as (
    select
        registers.*,
        coalesce(powers.measured_s, 0) as power_s,
        powers.energy_wh * registers.part_s / powers.measured_s as integrated_wh,
        -- of errors e: sum(e^2) <= max(e) * sum(e)
        (powers.highest_w - powers.lowest_w) / 2 * 3 * points.interval_s / 3600
        * powers.error_wh as sampling_variance_wh2,
    from registers
    inner join points using (device, component)
    left join powers using (meter, part_start_at)
),

sums as (
    select
        parts.meter,
        parts.meter_role,
        max_by(parts.device, parts.part_start_at) as device,
        max_by(parts.component, parts.part_start_at) as component,
        sum(parts.energy_wh) as register_wh,
        sum(parts.error_wh) as resolution_wh,
        sum(parts.measured_s) / sum(parts.part_s) as register_ratio,
        sum(parts.integrated_wh) as integrated_wh,
        sqrt(sum(parts.sampling_variance_wh2)) as sampling_error_wh,
        sum(parts.power_s) / sum(parts.part_s) as power_ratio,
        any_value(parts.period_start_at) as period_start_at,
        any_value(parts.period_end_at) as period_end_at,
    from parts
    group by parts.meter, parts.meter_role, parts.bucket
),

compared as (
    select
        sums.*,
        sums.integrated_wh / nullif(sums.register_wh, 0) - 1 as difference_ratio,
        greatest(
            abs(sums.integrated_wh - sums.register_wh)
            - sums.resolution_wh
            - sums.sampling_error_wh,
            0
        ) as unexplained_wh,
        case
            when sums.register_ratio < 0.9 then 'the register was read for less than 0.9 of it'
            when coalesce(sums.power_ratio, 0) < 0.9
                then 'the power was read for less than 0.9 of it'
        end as reason,
    from sums
),

final as (
    select
        compared.meter,
        compared.meter_role,
        compared.device,
        compared.component,
        compared.register_wh,
        compared.resolution_wh,
        compared.integrated_wh,
        compared.sampling_error_wh,
        compared.difference_ratio,
        compared.unexplained_wh / nullif(abs(compared.register_wh), 0) as unexplained_ratio,
        case
            when compared.reason is not null then null
            when compared.unexplained_wh > 0.03 * abs(compared.register_wh) then 'alarm'
            when compared.unexplained_wh > 0.01 * abs(compared.register_wh) then 'differs'
            else 'agrees'
        end as verdict,
        compared.reason,
        compared.period_start_at,
        compared.period_end_at,
    from compared
)

select * from final
);
