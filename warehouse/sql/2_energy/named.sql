-- A value: names for a sentence: the first three, and how many there are where there are more.
create or replace macro named(names) as (
    array_to_string(names[:3], ', ')
    || if(len(names) > 3, ', ... (' || len(names) || ' in all)', '')
);
