-- A value: whether a meter role is one of `roles`: names with commas between them, or 'all'.
create or replace macro is_among(meter_role, roles) as (
    roles = 'all' or list_contains(string_split(roles, ','), meter_role)
);
