"""The profiles that come with Busway, by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from collectors.profile import Profile
from collectors.profile_file import load_profile_file
from facility.errors import ProfileError
from facility.mistakes import did_you_mean

__all__ = ["load_profile", "load_profile_file", "profile_names"]

PROFILES = Path(__file__).with_name("profiles")


@cache
def profile_names() -> tuple[str, ...]:
    """Names of all profiles, in order."""
    return tuple(sorted(path.stem for path in PROFILES.glob("*.yaml")))


@cache
def load_profile(name: str) -> Profile:
    """Read a profile of the library; each is read once.

    Raises:
        ProfileError: there is none of that name, or its file is wrong.
    """
    if name not in profile_names():
        raise ProfileError(f"no profile is named '{name}'; {did_you_mean(name, profile_names())}")
    return load_profile_file(PROFILES / f"{name}.yaml")
