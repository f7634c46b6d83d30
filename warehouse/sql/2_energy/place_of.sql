-- A value: the place of a scope that something stands in: 'site', its hall, hall/row, or
-- hall/row/rack without what is not stated; null where it stands in none.
create or replace macro place_of(scope, hall, hall_row, rack) as (
    case scope
        when 'site' then 'site'
        when 'hall' then nullif(hall, '')
        when 'row'
            then if(hall_row = '', null, concat_ws('/', nullif(hall, ''), hall_row))
        when 'rack'
            then if(
                rack = '', null, concat_ws('/', nullif(hall, ''), nullif(hall_row, ''), rack)
            )
    end
);
