"""The vocabulary everyone shares: site, device, meter, feed, quantity, unit, quality, reading."""
