"""`make demo`: rescind's main job against the emulated organization, step by step; `make demo-ha`: several hosts."""
