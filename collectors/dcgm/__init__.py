"""GPUs and the hosts around them, through dcgm-exporter's text over HTTP or NVML on the host."""
