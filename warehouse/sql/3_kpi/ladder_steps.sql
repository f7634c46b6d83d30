-- One row: a meter, or the GPUs of a node, that a step of the ladder counts (see ladder), in the
-- power tree of a time.
-- stage_order: the stage at which the step ends; from_order: the metered stage before it. way:
-- `enters` (what comes into the step), `arrives` (at the stage), `leaves` (on other ways: cooling,
-- other loads, or a later stage); sign: -1 for export. expected_ratio: what is typically lost on
-- the way to an arriving meter. The step is all sections of the power tree from the stage before
-- down to this one that lead here, through meters of the role feeder.
create or replace macro ladder_steps(at_time) as table (
with recursive

tree as materialized (
    select
        power_tree.section,
        power_tree.end_kind,
        power_tree.place,
        power_tree.meter,
        power_tree.meter_role,
        power_tree.typical_ratio,
        if(
            power_tree.end_kind = 'load' and power_tree.device_role = 'gpu_node',
            7,
            ladder_order(power_tree.meter_role)
        ) as stage_order,
    from power_tree(at_time) as power_tree
),

onward as materialized (
    select distinct tree.section
    from tree
    where tree.end_kind = 'downstream' or tree.stage_order = 7
),

-- through a feeder into the section below it
passages as (
    select
        upper_end.section,
        upper_end.meter,
        upper_end.typical_ratio,
        lower_end.section as next_section,
    from tree as upper_end
    inner join tree as lower_end
        on upper_end.meter = lower_end.meter
        and lower_end.end_kind = 'upstream'
    semi join onward on lower_end.section = onward.section
    where upper_end.end_kind = 'downstream' and upper_end.meter_role = 'feeder'
),

walks(from_order, start_section, section, expected_ratio) as (
    select distinct tree.stage_order, tree.section, tree.section, 0::double
    from tree
    semi join onward using (section)
    where tree.end_kind = 'upstream' and tree.stage_order is not null
    union
    select
        walks.from_order,
        walks.start_section,
        passages.next_section,
        walks.expected_ratio + passages.typical_ratio,
    from walks
    inner join passages using (section)
),

-- what a step may end at, and the metered stage before that
metered as (
    select distinct tree.stage_order
    from tree
    where
        tree.stage_order is not null
        and (tree.end_kind = 'downstream' or tree.stage_order in (1, 7))
),

steps as (
    select
        metered.stage_order,
        max(earlier.stage_order) as from_order,
    from metered
    inner join metered as earlier on metered.stage_order > earlier.stage_order
    group by metered.stage_order
),

starts as (
    select distinct
        steps.stage_order,
        walks.from_order,
        walks.start_section,
    from steps
    inner join walks using (from_order)
    inner join tree
        on walks.section = tree.section
        and steps.stage_order = tree.stage_order
        and tree.end_kind <> 'upstream'
),

visited as materialized (
    select
        starts.stage_order,
        starts.from_order,
        walks.section,
        avg(walks.expected_ratio) as expected_ratio,
    from starts
    inner join walks using (from_order, start_section)
    group by starts.stage_order, starts.from_order, walks.section
),

passed as (
    select distinct visited.stage_order, passages.meter
    from visited
    inner join passages using (section)
),

final as (
    select
        visited.stage_order,
        visited.from_order,
        case
            when tree.end_kind = 'upstream' then 'enters'
            when tree.stage_order = visited.stage_order then 'arrives'
            else 'leaves'
        end as way,
        if(tree.end_kind = 'upstream' and tree.meter_role = 'export', -1, 1) as sign,
        tree.meter,
        if(tree.meter is null, tree.place, null) as node,
        if(tree.end_kind = 'upstream', null, visited.expected_ratio + tree.typical_ratio)
            as expected_ratio,
    from visited
    inner join tree using (section)
    anti join passed
        on visited.stage_order = passed.stage_order
        and tree.meter = passed.meter
    where tree.meter is not null or tree.stage_order = 7
)

select * from final
);
