-- A value: whether what a register rose, or fell, at most from one reading to the next in a cell,
-- {rise_wh, still_s}, can flow in 3 intervals, or in the longest that the register stood still.
create or replace macro is_believable_move(largest, value_wh, point) as (
    largest.rise_wh <= believable_step_wh(
        point.power_limit_w,
        greatest(3 * point.interval_s, coalesce(largest.still_s, 0)),
        point.resolution_wh,
        value_wh
    )
);
