-- One row: a meter and a local day, or the part of it in the window, in which its register and its
-- integrated power differ by more than 1 % (more than 3 %: is_alarm) beyond what the register's
-- resolution and the sampling of the power explain, though both cover it: a wrong ratio, sign, word
-- order or scale. register_wh, integrated_wh and the other columns: see reconciliation.
create or replace macro registers_agree_with_power(from_at, to_at) as table (
with

final as (
    select
        reconciliation.* exclude (verdict, reason),
        reconciliation.verdict = 'alarm' as is_alarm,
    from reconciliation(from_at, to_at) as reconciliation
    where reconciliation.verdict in ('differs', 'alarm')
)

select * from final
);
