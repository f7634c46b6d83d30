-- One row: a figure that the site states for its KPIs, for a time.
create table factors (
    factor varchar not null,
    subject varchar not null,
    value double,
    text varchar,
    applies_from timestamptz,
    applies_to timestamptz,
    valid_from timestamptz not null,
    valid_to timestamptz,
);
comment on table factors is 'Figures that the site states for its KPIs: docs/site-file.md, factors.';
comment on column factors.subject is 'A fuel, hall or device; empty: the whole site.';
comment on column factors.value is 'In the unit of the factor''s name; null where it is a word.';
comment on column factors.text is 'A word, such as a class; null where it is a number.';
comment on column factors.applies_from is 'Of a row of a table: when it begins to hold; null: when it came into the site file.';
comment on column factors.applies_to is 'Null: until something else is stated.';
