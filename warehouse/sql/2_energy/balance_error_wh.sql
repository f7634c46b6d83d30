-- A value: how far a sum of meters can be off, Wh: all their resolutions, and their accuracy
-- classes. Those are independent: three standard deviations of errors spread evenly within each
-- class (JCGM 100, 4.3.7: half width / sqrt(3)), and never more than all at their limits at once.
create or replace macro balance_error_wh(resolution_wh, accuracy_wh, accuracy_squares) as (
    resolution_wh + least(accuracy_wh, sqrt(3 * accuracy_squares))
);
