"""`make demo`: rescind's main job against the emulated organization, told step by step."""
