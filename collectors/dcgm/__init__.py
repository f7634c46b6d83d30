"""GPUs and the hosts around them, through dcgm-exporter's text over HTTP."""
