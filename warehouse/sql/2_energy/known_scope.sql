-- A value: the scope asked for, or an error that says which there are. There is no scope job:
-- labels of jobs change from poll to poll and are no part of a reading.
create or replace macro known_scope(scope) as (
    case
        when scope in ('site', 'hall', 'row', 'rack') then scope
        when scope = 'job' then error(
            'there is no scope job: no reading tells which job ran where; '
            || 'ask for site, hall, row or rack'
        )
        else error('there is no scope ' || scope || '; ask for site, hall, row or rack')
    end
);
