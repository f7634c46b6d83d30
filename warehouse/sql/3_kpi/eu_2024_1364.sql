-- One row: a field that Delegated Regulation (EU) 2024/1364, annexes I to III, asks of a data
-- centre, over the window (the Regulation reports a calendar year). field: its symbol there; value,
-- or text where it is a word; unit; reason: why telemetry does not give it, or what is missing.
-- What no telemetry gives is as stated under factors.eu_2024_1364 in the site file. E_IT, PUE and
-- WUE are of category 1, as the Regulation wants them, where the site has a UPS output meter, else
-- of the highest that it has. E_DC_BG: what the meters of the role generator counted. T_WH: mean
-- temperature of facility water back from CDUs and air handlers; T_IN: mean set-point of the air
-- handlers' supply. Heat, water and renewables: see erf, wue, ref.
create or replace macro eu_2024_1364(from_at, to_at) as table (
with

category_asked as (
    select
        if(
            list_contains(list(boundary_versions.category), 1),
            1,
            max(boundary_versions.category)
        )::varchar as it_category,
    from boundary_versions
    where boundary_versions.total = 'e_it'
),

totals as (
    select *
    from known_energy(
        from_at,
        to_at,
        category := (select coalesce(category_asked.it_category, '0') from category_asked)
    )
),

stated as (
    select *
    from period_factors(from_at, to_at) as period_factors
    where period_factors.factor = 'eu_2024_1364'
),

generators as (
    select *
    from role_energy(from_at, to_at, 'generator')
),

ratios as (
    select *
    from energy_ratios(
        from_at,
        to_at,
        category := (select coalesce(category_asked.it_category, '0') from category_asked)
    )
),

water as (
    select * from intake_water(from_at, to_at)
),

heat as (
    select * from metered_heat(from_at, to_at)
),

cooling as (
    select
        avg(polls.facility_return_c) filter (
            polls.device_role in ('cdu', 'air_handler')
        ) as facility_return_c,
        avg(polls.supply_setpoint_c) filter (
            polls.device_role = 'air_handler'
        ) as supply_setpoint_c,
    from cooling_polls(from_at, to_at) as polls
    where
        polls.read_at >= from_at::timestamptz
        and polls.read_at < to_at::timestamptz
),

asked as (
    select
        unnest([
            'pd_it_kw', 's_dc_m2', 's_cr_m2', 'grid_functions', 'c_btg_kw', 'refrigerants',
            'cdd_degree_days', 'c_serv', 'c_stor_pb', 'b_in_gbps', 'b_out_gbps', 't_in_eb',
            't_out_eb'
        ]) as subject,
        unnest([
            'PD_IT', 'S_DC', 'S_CR', 'grid functions', 'C_BtG', 'refrigerants', 'CDD', 'C_SERV',
            'C_STOR', 'B_IN', 'B_OUT', 'traffic T_IN', 'traffic T_OUT'
        ]) as field,
        unnest([
            'kW', 'm2', 'm2', null, 'kW', null, 'K.d', 'SERT', 'PB', 'Gb/s', 'Gb/s', 'EB', 'EB'
        ]) as unit,
        unnest(range(1, 14)) as place,
),

fields as (
    select
        asked.place,
        asked.field,
        stated.value,
        stated.text,
        asked.unit,
        if(
            stated.subject is null,
            'no telemetry gives it: state ' || asked.subject || ' under factors.eu_2024_1364',
            null
        ) as reason,
    from asked
    left join stated using (subject)
    union all
    select 20, 'E_DC', totals.e_dc_wh / 1000, null, 'kWh', totals.e_dc_reason
    from totals
    union all
    select 21, 'E_DC_BG', generators.energy_wh / 1000, null, 'kWh', generators.reason
    from generators
    union all
    select 22, 'E_IT', totals.e_it_wh / 1000, null, 'kWh', totals.e_it_reason
    from totals
    union all
    select
        if(water.basis = 'site', 23, 24),
        if(water.basis = 'site', 'W_IN', 'W_IN_POT'),
        water.water_l / 1000,
        null,
        'm3',
        water.reason
    from water
    union all
    select 25, 'E_REUSE', heat.heat_wh / 1000, null, 'kWh', heat.reason
    from heat
    where heat.use = 'reuse'
    union all
    select
        26,
        'T_WH',
        cooling.facility_return_c,
        null,
        'Cel',
        if(
            cooling.facility_return_c is null,
            'no facility_return_temperature_c of a CDU or air handler was read',
            null
        )
    from cooling
    union all
    select
        27,
        'T_IN',
        cooling.supply_setpoint_c,
        null,
        'Cel',
        if(
            cooling.supply_setpoint_c is null,
            'no supply_setpoint_c of an air handler was read',
            null
        )
    from cooling
    union all
    select
        renewables.place,
        renewables.field,
        if(ratios.reason is null, ratios.numerator, null),
        null,
        'kWh',
        ratios.reason
    from ratios
    inner join (
        select
            unnest(range(28, 32)) as place,
            unnest(['E_RES_TOT', 'E_RES_GOO', 'E_RES_PPA', 'E_RES_OS']) as field,
            unnest(['total', 'goo', 'ppa', 'on_site']) as basis,
    ) as renewables using (basis)
    where ratios.kpi = 'REF'
    union all
    select
        40,
        'PUE',
        totals.e_dc_wh / totals.e_it_wh,
        null,
        '1',
        nullif(concat_ws('; ', totals.e_dc_reason, totals.e_it_reason), '')
    from totals
    union all
    select
        indicators.place,
        ratios.kpi,
        ratios.ratio,
        null,
        indicators.unit,
        ratios.reason
    from ratios
    inner join (
        select
            unnest([41, 42, 43]) as place,
            unnest(['WUE', 'ERF', 'REF']) as kpi,
            unnest(['site', '', 'total']) as basis,
            unnest(['m3/MWh', '1', '1']) as unit,
    ) as indicators using (kpi, basis)
),

final as (
    select
        fields.field,
        fields.value,
        fields.text,
        fields.unit,
        fields.reason,
    from fields
    order by fields.place
)

select * from final
);
