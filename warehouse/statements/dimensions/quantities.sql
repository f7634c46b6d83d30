-- given: the catalogue of quantities as this Busway has it.
merge into quantities
using given
on
    quantities.quantity = given.quantity
    and quantities.unit = given.unit
    and quantities.kind = given.kind
    and quantities.range_low = given.range_low
    and quantities.range_high = given.range_high
    and quantities.meaning = given.meaning
when not matched then insert
when not matched by source then delete
