"""Short random ids that a person can type: a prefix and ten characters without look-alikes."""

import secrets
from typing import Literal

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
LENGTH = 10


def new_id(
    prefix: Literal["veh", "ses", "art", "snp", "apr", "aud", "alr", "cnv", "res", "man", "job"],
) -> str:
    """Return a new id such as `ses_7k2m9xq4tb` (49 random bits)."""
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(LENGTH))}"
