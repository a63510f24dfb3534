"""A company's network in front of the emulated organization: a proxy, and AWS behind a private CA."""
