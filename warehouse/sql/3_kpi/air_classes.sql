-- One row: an ASHRAE class of air-cooled IT equipment, and the temperatures of its intake air, in
-- degrees Celsius dry bulb: recommended for all classes, and allowable by class (ASHRAE TC 9.9,
-- Thermal Guidelines, 5th edition, 2021, reference card).
create or replace view air_classes as (
    select
        unnest(['A1', 'A2', 'A3', 'A4']) as air_class,
        18.0 as recommended_low_c,
        27.0 as recommended_high_c,
        unnest([15.0, 10.0, 5.0, 5.0]) as allowable_low_c,
        unnest([32.0, 35.0, 40.0, 45.0]) as allowable_high_c,
);
