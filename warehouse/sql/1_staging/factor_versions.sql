-- One row: a figure that the site states for its KPIs, for the time in which it holds.
-- value: in the unit of the factor's name; text: where it is a word. A row of a table of factors
-- holds for the time it states, as long as it is not taken out of the site file before; a figure
-- of the site file itself from when it came into it (valid_from_at) until it is changed.
-- whole_s: seconds that a row of a table is for, null where it has no end. Of two rows for one
-- time, the one with the later valid_from_at counts: see factor_values.
create or replace view factor_versions as (
    select
        factors.factor,
        factors.subject,
        factors.value,
        factors.text,
        (epoch_us(factors.applies_to) - epoch_us(factors.applies_from)) / 1e6 as whole_s,
        coalesce(factors.applies_from, factors.valid_from) as applies_from_at,
        least(
            coalesce(factors.applies_to, 'infinity'::timestamptz),
            coalesce(factors.valid_to, 'infinity'::timestamptz)
        ) as applies_to_at,
        factors.valid_from as valid_from_at,
    from factors
);
