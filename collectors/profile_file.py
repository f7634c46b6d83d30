"""Reading a profile file: a Profile, or every mistake in it with its line."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from collectors.profile import Profile
from collectors.profile_schema import known_keys
from facility.errors import ProfileError
from facility.mistakes import Mistake
from facility.validation import explain, found_text
from facility.yaml_lines import YamlFile, YamlMistake, parse_yaml


def load_profile_file(path: Path) -> Profile:
    """Read and check one profile file, named as the profile in it.

    Raises:
        ProfileError: a line for each mistake: `pm5000.yaml:41: modbus.points[3].scale: ...`.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{path}: is not UTF-8; save it as UTF-8") from error
    return parse_profile(text, path.name)


def parse_profile(text: str, file_name: str) -> Profile:
    """Check the text of a profile file.

    Raises:
        ProfileError: as `load_profile_file`.
    """
    try:
        file, mistakes = parse_yaml(text, file_name)
    except YamlMistake as error:
        raise _refusal([error.mistake]) from None
    profile, more = _validated(file)
    mistakes += more
    if profile is None or mistakes:
        raise _refusal(mistakes)
    if file_name != f"{profile.name}.yaml":
        found = f"expected the name of the file, {Path(file_name).stem}, found {profile.name!r}"
        raise _refusal([file.mistake(("name",), found)])
    return profile


def _validated(file: YamlFile) -> tuple[Profile | None, list[Mistake]]:
    if not isinstance(file.data, dict):
        text = f"expected a profile, found {found_text(file.data)}; start with name:"
        return None, [file.mistake((), text)]
    try:
        return Profile.model_validate(file.data), []
    except ValidationError as error:
        found = explain(error, file.data, known_keys)
        return None, [file.mistake(path, text) for path, text in found]


def _refusal(mistakes: list[Mistake]) -> ProfileError:
    return ProfileError("\n".join(str(mistake) for mistake in sorted(mistakes)))
