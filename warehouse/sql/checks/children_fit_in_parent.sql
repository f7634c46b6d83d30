-- One row: a metered device whose metered children took more than itself in the window, by more
-- than accuracy and resolution of all.
-- A child is the next metered device down the power path that is fed by this one alone: where two
-- feeds meet, neither can be charged with the whole.
create or replace macro children_fit_in_parent(from_at, to_at) as table (
with recursive

energies as (
    select
        energy.device,
        sum(energy.energy_wh) as energy_wh,
        sum(energy.resolution_wh + energy.accuracy_class / 100 * energy.energy_wh) as error_wh,
        bool_and(energy.is_complete) as is_complete,
    from energy(from_at, to_at) as energy
    group by energy.device
    having count(distinct energy.meter_role) = 1
),

feeds as (
    select feed_versions.source, feed_versions.target
    from feed_versions
    where
        feed_versions.valid_from_at < to_at::timestamptz
        and feed_versions.valid_to_at >= to_at::timestamptz
),

-- down from each meter, through what is not metered, to the next
paths as (
    select energies.device as parent, feeds.target as node
    from energies
    inner join feeds on energies.device = feeds.source
    union
    select paths.parent, feeds.target
    from paths
    inner join feeds on paths.node = feeds.source
    anti join energies on paths.node = energies.device
),

children as (
    select
        energies.*,
        any_value(paths.parent) as parent,
    from paths
    inner join energies on paths.node = energies.device
    group by all
    having count(*) = 1
),

sums as (
    select
        children.parent,
        count(*) as children,
        sum(children.energy_wh) as energy_wh,
        sum(children.error_wh) as error_wh,
    from children
    where children.is_complete
    group by children.parent
),

final as (
    select
        energies.device,
        sums.children,
        energies.energy_wh,
        sums.energy_wh as children_energy_wh,
        energies.error_wh + sums.error_wh as error_wh,
    from energies
    inner join sums on energies.device = sums.parent
    where
        energies.is_complete
        and sums.energy_wh > energies.energy_wh + energies.error_wh + sums.error_wh
)

select * from final
);
