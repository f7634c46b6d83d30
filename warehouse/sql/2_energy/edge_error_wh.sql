-- A value: how far, in Wh, the true energy since a step's start may be from the linear share when
-- the step is cut elapsed_s seconds into its step_s: {least_wh, most_wh} of true minus share.
-- Holds while the power within the step stays between low_w and high_w: by the edge no less than
-- low_w flowed, and after it no more than high_w can; and the other way round.
create or replace macro edge_error_wh(energy_wh, step_s, elapsed_s, low_w, high_w) as ({
    'least_wh': least(
        greatest(low_w * elapsed_s / 3600, energy_wh - high_w * (step_s - elapsed_s) / 3600),
        least(high_w * elapsed_s / 3600, energy_wh - low_w * (step_s - elapsed_s) / 3600)
    ) - energy_wh * elapsed_s / step_s,
    'most_wh': greatest(
        greatest(low_w * elapsed_s / 3600, energy_wh - high_w * (step_s - elapsed_s) / 3600),
        least(high_w * elapsed_s / 3600, energy_wh - low_w * (step_s - elapsed_s) / 3600)
    ) - energy_wh * elapsed_s / step_s
});
