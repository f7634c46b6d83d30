-- One row: one thing that can be measured, and its unit.
create table quantities (
    quantity varchar not null,
    unit varchar not null,
    kind varchar not null,
    range_low double not null,
    range_high double not null,
    meaning varchar not null,
);
comment on table quantities is 'The catalogue of quantities.';
comment on column quantities.unit is 'UCUM.';
comment on column quantities.kind is 'gauge or counter.';
comment on column quantities.range_low is 'Below it a value is uncertain.';
comment on column quantities.range_high is 'Above it a value is uncertain.';
