-- One row: an alert's last transition.
create or replace view last_alerts as (
    select alerts.*
    from alerts
    qualify row_number() over (partition by alerts.alert order by alerts.number desc) = 1
);
