"""The doors by which a test sets the scene and sees what happened: the control interface."""
