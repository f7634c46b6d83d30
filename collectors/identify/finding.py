"""What a device said of itself, and which profiles that speaks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from collectors.profile import Profile
from collectors.profile_library import load_profile, profile_names
from facility.errors import ProfileError


@dataclass(frozen=True, slots=True)
class Fit:
    """A profile that may read the device, and what speaks for it."""

    profile: Profile
    evidence: str
    rank: tuple[float, ...]
    """How much that is: the larger, the more; compared within one finding."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one device said over one protocol, and the profiles that fit, best first."""

    said: str
    fits: tuple[Fit, ...]

    @classmethod
    def of(cls, said: str, fits: Iterable[Fit]) -> Self:
        """Put the fits in order."""
        return cls(said, tuple(sorted(fits, key=lambda fit: fit.rank, reverse=True)))

    @property
    def best(self) -> tuple[Fit, ...]:
        """The one that fits best, or those that do equally; none where none fits."""
        return tuple(fit for fit in self.fits if fit.rank == self.fits[0].rank)

    def chosen(self) -> Fit:
        """The one that fits best.

        Raises:
            ProfileError: none fits, or several do equally.
        """
        match self.best:
            case ():
                raise ProfileError(
                    f"no profile knows this device: {self.said}; name one of 'busway profile list'"
                )
            case (fit,):
                return fit
            case several:
                names = " and ".join(fit.profile.name for fit in several)
                raise ProfileError(f"{names} fit equally: {self.said}; name the one to use")


def profiles_of(protocol: str) -> Sequence[Profile]:
    """The library's profiles that are read over this protocol."""
    profiles = (load_profile(name) for name in profile_names())
    return [profile for profile in profiles if profile.protocol == protocol]
