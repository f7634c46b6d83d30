-- A value: whether a cell of a register's readings rose plausibly from its first reading to its
-- last, with no reading outside these, none in doubt, and no gap: every slot between is hit.
create or replace macro is_smooth_cell(cell, point) as (
    cell.worst_quality = 0
    and cell.first_wh = cell.lowest_wh
    and cell.last_wh = cell.highest_wh
    and cell.last_wh - cell.first_wh <= believable_step_wh(
        point.power_limit_w,
        seconds_between(cell.first_at, cell.last_at),
        point.resolution_wh,
        cell.last_wh
    )
    and bit_count(cell.slots_hit) > (
        epoch_us(cell.last_at) % point.cell_us // point.slot_us
        - epoch_us(cell.first_at) % point.cell_us // point.slot_us
    )
);
