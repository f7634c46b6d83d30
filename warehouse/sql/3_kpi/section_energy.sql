-- One row: a meter at an end of a section of the power tree (see power_tree), where there are
-- meters above and below, with its energy in the window.
-- sign: -1 where an upstream meter counts what is given back (export), else 1. energy_wh: 0 where
-- it is not known (is_complete is false). accuracy_wh: accuracy class times energy. The tree is
-- that of the window's end.
create or replace macro section_energy(from_at, to_at) as table (
with

tree as materialized (
    select * from power_tree(to_at)
),

balanced as (
    select tree.section
    from tree
    group by tree.section
    having
        bool_or(tree.end_kind = 'upstream')
        and bool_or(tree.end_kind = 'downstream')
),

energies as (
    select * from energy(from_at, to_at)
),

final as (
    select
        tree.section,
        tree.end_kind,
        if(tree.end_kind = 'upstream' and tree.meter_role = 'export', -1, 1) as sign,
        tree.meter,
        tree.meter_role,
        tree.place,
        tree.component,
        tree.between_parts,
        tree.low_ratio,
        tree.typical_ratio,
        tree.high_ratio,
        coalesce(energies.is_complete, false) as is_complete,
        if(energies.is_complete, energies.energy_wh, 0) as energy_wh,
        if(energies.is_complete, energies.resolution_wh, 0) as resolution_wh,
        if(energies.is_complete, energies.accuracy_class / 100 * abs(energies.energy_wh), 0)
            as accuracy_wh,
        coalesce(energies.coverage_ratio, 0) as coverage_ratio,
        energies.flags,
    from tree
    semi join balanced using (section)
    left join energies using (meter)
)

select * from final
);
