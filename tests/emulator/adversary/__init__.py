"""A thief who fights back, for tests of the containment: `python -m adversary --help`.

On AWS a change of IAM counts some seconds after it was accepted. In this window a stolen session still works, and who
looks twice a second deletes the deny before it counts, or goes on with credentials that were made meanwhile. This
does it, with boto3, against the emulated organization and nothing else.

    thief         the adversary: what it does in each round, and what it logs
    entity        what it does to the role or user that was stolen
    offspring     what it makes and assumes: a role, a user, other sessions
    intrusion     another one, who does not fight: he spreads from role to role
    credentials   what it holds, and which of it still works
"""
from .thief import Adversary

__all__ = ["Adversary"]
