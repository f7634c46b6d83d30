"""The profiles that come with Busway, by name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from collectors.profile import Profile
from collectors.profile_file import load_profile_file, parse_profile
from facility.errors import ProfileError
from facility.mistakes import did_you_mean

__all__ = ["load_profile", "load_profile_file", "profile_names"]


@cache
def profile_names() -> tuple[str, ...]:
    """Names of all profiles, in order."""
    entries = files("collectors").joinpath("profiles").iterdir()
    return tuple(sorted(e.name.removesuffix(".yaml") for e in entries if e.name.endswith(".yaml")))


@cache
def load_profile(name: str) -> Profile:
    """Read a profile of the library; each is read once.

    Raises:
        ProfileError: there is none of that name, or its file is wrong.
    """
    if name not in profile_names():
        raise ProfileError(f"no profile is named '{name}'; {did_you_mean(name, profile_names())}")
    file = files("collectors").joinpath("profiles", f"{name}.yaml")
    return parse_profile(file.read_text("utf-8"), file.name)
