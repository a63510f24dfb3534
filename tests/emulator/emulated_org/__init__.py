"""An AWS organization on the loopback interface, for rescind's tests and demo.

It speaks the AWS wire protocols over plain HTTP, enforces IAM on temporary
credentials, and offers a control interface under ``/emulator/``.
"""
