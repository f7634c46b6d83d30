-- A value: how far a ratio of two sums of meters can be off by their accuracy classes, over the
-- ratio. above, below: of the sum above and the one below the line, class x energy over the sum, as
-- root of the sum of squares (accuracy) and as plain sum (limit).
-- Three standard deviations of independent errors spread evenly within each class (JCGM 100, 4.3.7:
-- half width / sqrt(3)), and never more than all meters at their limits at once: the far end.
create or replace macro class_error_ratio(
    above_accuracy, above_limit, below_accuracy, below_limit
) as (
    least(
        sqrt(3 * (power(above_accuracy, 2) + power(below_accuracy, 2))),
        if(below_limit < 1, (above_limit + below_limit) / (1 - below_limit), null)
    )
);
