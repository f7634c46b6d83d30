-- A value: the largest step in Wh that a register can truly make in duration_s seconds when at
-- most power_limit_w flows.
-- 1.2: the usual margin for a meter over its nominal range. A register can be a step of its own
-- late, and a float32 one (24 significant bits) is coarser the more it shows.
create or replace macro believable_step_wh(power_limit_w, duration_s, resolution_wh, value_wh) as (
    1.2 * power_limit_w * duration_s / 3600 + resolution_wh + value_wh * power(2.0, -23)
);
