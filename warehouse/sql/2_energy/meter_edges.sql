-- One row: a time within the window [from_at, to_at] at which what is counted is cut: a period
-- begins or ends, or a meter changes. quarter_at: where the quarter of an hour it is in begins.
create or replace macro meter_edges(from_at, to_at, grain := 'window') as table (
with

edges as (
    select buckets.period_start_at as edge_at from buckets(from_at, to_at, grain) as buckets
    union
    select to_at::timestamptz
    union
    select unnest([meter_versions.valid_from_at, meter_versions.valid_to_at])
    from meter_versions
),

final as (
    select
        edges.edge_at,
        quarter_of(edges.edge_at) as quarter_at,
    from edges
    where edges.edge_at between from_at::timestamptz and to_at::timestamptz
)

select * from final
);
