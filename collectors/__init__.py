"""From a device on the wire to Arrow batches: profiles, planning, drivers, the daemon."""
