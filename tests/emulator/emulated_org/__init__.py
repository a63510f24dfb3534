"""An AWS organization on the loopback interface, for rescind's tests and demo.

It speaks the AWS wire protocols over plain HTTP, enforces IAM on temporary
credentials, and offers a control interface under ``/emulator/``.

Each line knows only lines below it (``tests/test_layout.py``):

    __main__
    server
    gateway  control
    services
    identity
    enforcement  moto_bridge
    state
    policy  protocol  client
    errors  times  isolation
"""
