-- A value: a list of names as a text, of which three are shown.
create or replace macro shortened(names) as (
    array_to_string(names[:3], ', ') || if(len(names) > 3, ', ...', '')
);
