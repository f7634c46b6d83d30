-- One row: a factor by which a meter's energy is often to be multiplied to be right, and what was
-- done wrong then. A meter set to the ratio 400/5 on transformers of 200/5 counts double: 0.5.
-- Ratios of neighbouring rated currents are those of IEC 61869-2 (10, 12.5, 15, 20, 25, 30, 40, 50,
-- 60, 75 and decades).
create or replace view ct_ratio_errors as (
    select
        ratio_errors.factor,
        ratio_errors.meaning,
    from (
        values
        (2.0, 'set to half the current transformers'' ratio'),
        (0.5, 'set to twice the current transformers'' ratio'),
        (1.5, 'set to 2/3 of the ratio, or one of three phases is not counted'),
        (1 / 1.5, 'set to 3/2 of the ratio'),
        (1.25, 'set to 4/5 of the ratio'),
        (0.8, 'set to 5/4 of the ratio'),
        (4 / 3.0, 'set to 3/4 of the ratio'),
        (0.75, 'set to 4/3 of the ratio'),
        (3.0, 'set to 1/3 of the ratio, or one phase is reversed or two are not counted'),
        (1 / 3.0, 'set to 3 times the ratio'),
        (4.0, 'set to 1/4 of the ratio'),
        (0.25, 'set to 4 times the ratio'),
        (5.0, 'set for a secondary current of 5 A where it is 1 A'),
        (0.2, 'set for a secondary current of 1 A where it is 5 A'),
        (10.0, 'set to 1/10 of the ratio'),
        (0.1, 'set to 10 times the ratio'),
        (sqrt(3), 'voltage between phases taken for phase to neutral'),
        (1 / sqrt(3), 'voltage phase to neutral taken for that between phases')
    ) as ratio_errors (factor, meaning)
);
