"""The Modbus driver: plan the fewest reads, ask them over a shared line, decode by columns."""
