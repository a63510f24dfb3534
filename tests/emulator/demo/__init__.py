"""`make demo`: rescind's main job against the emulated organization, step by step."""
