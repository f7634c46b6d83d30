-- given: its meters as configured now. A row that stays as it was is left alone, one that changed is
-- closed and opened anew. valid_to is compared by equality so that DuckDB joins by hash.
merge into meters
using (
    select distinct *, $opened_at as valid_from, null::timestamptz as valid_to from given
) as configured
on
    meters.valid_to is not distinct from configured.valid_to
    and meters.meter = configured.meter
    and meters.device = configured.device
    and meters.component = configured.component
    and meters.meter_role = configured.meter_role
    and meters.accuracy_class = configured.accuracy_class
    and meters.max_power_w is not distinct from configured.max_power_w
    and meters.energy_modulus_wh is not distinct from configured.energy_modulus_wh
    and meters.energy_resolution_wh is not distinct from configured.energy_resolution_wh
when not matched then insert
when not matched by source and meters.valid_to is null then update set valid_to = $closed_at
