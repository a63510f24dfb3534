"""The emulated services: a module each, or a package where one module would be too long."""
