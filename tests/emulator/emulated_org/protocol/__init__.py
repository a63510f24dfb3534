"""The AWS wire protocols: reading calls, rendering answers and errors."""
