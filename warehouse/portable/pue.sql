-- One row: the PUE of a window in one category, reckoned from the register readings alone, in SQL
-- that sqlglot takes to other engines: the core of pue(), for lakes that one machine does not scan.
-- Given: the tables readings, meters, boundary_terms and sites as in the lake, and asked_window of
-- one row: from_at, to_at. e_dc_kwh, e_it_kwh: register steps that rise or roll over by what can
-- flow, cut evenly at the window's edges, summed with the boundary's signs. measured_ratio: share
-- of the window that such steps cover, of the meter with the least. odd_steps: steps that are
-- neither, which register_steps() judges (reset, dip, spike, setback, lost); pue_ratio is null
-- where there are any, and where measured_ratio is under the site's minimum coverage. A meter without max_power_w may rise
-- by anything. Not in it: meters that move within
-- the window, power in place of a register, roll-ups, periods, bands. The boundary and the meters
-- are those in force at the window's end.
with

asked as (
    select
        epoch_us(asked_window.from_at) as from_us,
        epoch_us(asked_window.to_at) as to_us,
        asked_window.to_at,
    from asked_window
),

site as (
    select
        sites.boundary,
        coalesce(sites.minimum_coverage_ratio, 0.99) as minimum_coverage_ratio,
    from sites
    cross join asked
    where
        sites.valid_from < asked.to_at
        and (sites.valid_to is null or sites.valid_to >= asked.to_at)
),

terms as (
    select
        boundary_terms.category,
        boundary_terms.meter_role,
        boundary_terms.sign,
    from boundary_terms
    inner join site on boundary_terms.boundary = site.boundary
    cross join asked
    where
        boundary_terms.valid_from < asked.to_at
        and (boundary_terms.valid_to is null or boundary_terms.valid_to >= asked.to_at)
),

metered as (
    select
        meters.meter,
        meters.device,
        meters.component,
        meters.meter_role,
        meters.max_power_w,
        meters.energy_modulus_wh as modulus_wh,
        meters.energy_resolution_wh as resolution_wh,
    from meters
    cross join asked
    where
        meters.valid_from < asked.to_at
        and (meters.valid_to is null or meters.valid_to >= asked.to_at)
),

-- of two readings of one moment the lower, as register_runs takes it
registers as (
    select
        metered.meter,
        epoch_us(readings.ts) as read_us,
        min(readings.value) as value_wh,
    from readings
    inner join metered
        on readings.device = metered.device
        and readings.component = metered.component
    cross join asked
    where
        readings.quantity = 'energy_imported_wh'
        and readings.quality in (0, 3)
        and readings.value is not null
        and epoch_us(readings.ts) >= asked.from_us - 3600000000
        and epoch_us(readings.ts) <= asked.to_us + 3600000000
    group by metered.meter, epoch_us(readings.ts)
),

followed as (
    select
        registers.meter,
        registers.read_us,
        registers.value_wh,
        lag(registers.read_us) over (
            partition by registers.meter order by registers.read_us
        ) as before_us,
        lag(registers.value_wh) over (
            partition by registers.meter order by registers.read_us
        ) as before_wh,
    from registers
),

steps as (
    select
        followed.meter,
        followed.value_wh - followed.before_wh as rise_wh,
        metered.modulus_wh,
        1.2 * metered.max_power_w * (followed.read_us - followed.before_us) / 3600000000.0
        + metered.resolution_wh
        + followed.value_wh / 8388608.0 as most_wh,
        followed.read_us - followed.before_us as step_us,
        least(followed.read_us, asked.to_us) - greatest(followed.before_us, asked.from_us)
            as inside_us,
    from followed
    inner join metered on followed.meter = metered.meter
    cross join asked
    where
        followed.before_us is not null
        and followed.read_us > asked.from_us
        and followed.before_us < asked.to_us
),

judged as (
    select
        steps.meter,
        steps.step_us,
        steps.inside_us,
        case
            when
                steps.rise_wh >= 0
                and (steps.most_wh is null or steps.rise_wh <= steps.most_wh)
                then steps.rise_wh
            when
                steps.rise_wh < 0
                and steps.rise_wh + steps.modulus_wh >= 0
                and (steps.most_wh is null or steps.rise_wh + steps.modulus_wh <= steps.most_wh)
                then steps.rise_wh + steps.modulus_wh
        end as energy_wh,
    from steps
),

meter_energy as (
    select
        judged.meter,
        sum(judged.energy_wh * judged.inside_us / judged.step_us) as energy_wh,
        sum(case when judged.energy_wh is null then 0 else judged.inside_us end) as measured_us,
        sum(case when judged.energy_wh is null then 1 else 0 end) as odd_steps,
    from judged
    group by judged.meter
),

totals as (
    select
        terms.category,
        sum(terms.sign * meter_energy.energy_wh) / 1000 as energy_kwh,
        min(coalesce(meter_energy.measured_us, 0)) as least_measured_us,
        sum(coalesce(meter_energy.odd_steps, 0)) as odd_steps,
    from terms
    left join metered on terms.meter_role = metered.meter_role
    left join meter_energy on metered.meter = meter_energy.meter
    group by terms.category
),

ratios as (
    select
        it.category,
        dc.energy_kwh as e_dc_kwh,
        it.energy_kwh as e_it_kwh,
        cast(least(dc.least_measured_us, it.least_measured_us) as double)
        / cast(asked.to_us - asked.from_us as double) as measured_ratio,
        dc.odd_steps + it.odd_steps as odd_steps,
    from totals as dc
    cross join totals as it
    cross join asked
    where dc.category = 0 and it.category > 0
)

select
    ratios.category,
    ratios.e_dc_kwh,
    ratios.e_it_kwh,
    case
        when
            ratios.odd_steps = 0
            and ratios.measured_ratio >= site.minimum_coverage_ratio
            and ratios.e_it_kwh > 0
            then ratios.e_dc_kwh / ratios.e_it_kwh
    end as pue_ratio,
    ratios.measured_ratio,
    ratios.odd_steps,
from ratios
cross join site
