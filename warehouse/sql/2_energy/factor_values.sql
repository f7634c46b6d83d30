-- One row: what a factor of a subject is in a stretch of the window.
-- value: in the unit of the factor's name; text: where it is a word. whole_s: seconds that its
-- row of a table is for, null where it has no end. Stretches of one factor and subject do not
-- overlap: of two rows for one time the one that came into the site file later counts.
create or replace macro factor_values(from_at, to_at) as table (
with

near as (
    select
        factor_versions.* exclude (applies_from_at, applies_to_at),
        greatest(factor_versions.applies_from_at, from_at::timestamptz) as start_at,
        least(factor_versions.applies_to_at, to_at::timestamptz) as end_at,
    from factor_versions
    where
        factor_versions.applies_from_at < to_at::timestamptz
        and factor_versions.applies_to_at > from_at::timestamptz
        and factor_versions.applies_to_at > factor_versions.applies_from_at
),

edges as (
    select near.factor, near.subject, near.start_at as edge_at from near
    union
    select near.factor, near.subject, near.end_at from near
),

stretches as (
    select
        edges.factor,
        edges.subject,
        edges.edge_at as start_at,
        lead(edges.edge_at) over (
            partition by edges.factor, edges.subject
            order by edges.edge_at
        ) as end_at,
    from edges
),

-- each time that a site file was stored may have stated it: rows of one such time do not overlap
asked as (
    select
        stretches.*,
        stored.valid_from_at,
    from stretches
    inner join (
        select distinct near.factor, near.subject, near.valid_from_at from near
    ) as stored using (factor, subject)
    where stretches.end_at is not null
),

answered as (
    select
        asked.*,
        near.value,
        near.text,
        near.whole_s,
        near.end_at as holds_to_at,
    from asked
    asof inner join near
        on asked.factor = near.factor
        and asked.subject = near.subject
        and asked.valid_from_at = near.valid_from_at
        and asked.start_at >= near.start_at
),

final as (
    select
        answered.factor,
        answered.subject,
        arg_max(answered.value, answered.valid_from_at) as value,
        arg_max(answered.text, answered.valid_from_at) as text,
        arg_max(answered.whole_s, answered.valid_from_at) as whole_s,
        answered.start_at,
        any_value(answered.end_at) as end_at,
    from answered
    where answered.start_at < answered.holds_to_at
    group by answered.factor, answered.subject, answered.start_at
)

select * from final
);
