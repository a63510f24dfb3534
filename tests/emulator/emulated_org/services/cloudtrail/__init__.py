"""AWS CloudTrail: what it records, and LookupEvents."""
