-- A value: the stage of the ladder that meters of a role stand at, from 1, the utility, to 6, the
-- output of the rack's power shelves; null for the other roles. 7 is the GPU board.
create or replace macro ladder_order(meter_role) as (
    case
        when meter_role in ('utility', 'generator', 'on_site_generation', 'export') then 1
        when meter_role = 'mv_output' then 2
        when meter_role = 'ups_output' then 3
        when meter_role = 'pdu_output' then 4
        when meter_role = 'it_input' then 5
        when meter_role = 'shelf_output' then 6
    end
);
