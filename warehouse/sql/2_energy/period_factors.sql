-- One row: a factor of a subject in a period, wherever it is stated for a part of it.
-- value: its mean by time, over the part for which it is stated; text: its word at the end of that
-- part. known_ratio: share of the period for which it is stated. grain: see buckets.
create or replace macro period_factors(from_at, to_at, grain := 'window') as table (
with

periods as (
    select * from buckets(from_at, to_at, grain)
),

pieces as (
    select
        periods.period_start_at,
        periods.period_end_at,
        stated.factor,
        stated.subject,
        stated.value,
        stated.text,
        stated.start_at,
        seconds_between(
            greatest(stated.start_at, periods.period_start_at),
            least(stated.end_at, periods.period_end_at)
        ) as piece_s,
    from periods
    inner join factor_values(from_at, to_at) as stated
        on stated.start_at < periods.period_end_at
        and stated.end_at > periods.period_start_at
),

final as (
    select
        pieces.factor,
        pieces.subject,
        sum(pieces.value * pieces.piece_s) / sum(pieces.piece_s) as value,
        arg_max(pieces.text, pieces.start_at) as text,
        sum(pieces.piece_s)
        / seconds_between(pieces.period_start_at, pieces.period_end_at) as known_ratio,
        pieces.period_start_at,
        pieces.period_end_at,
    from pieces
    group by pieces.factor, pieces.subject, pieces.period_start_at, pieces.period_end_at
)

select * from final
);
