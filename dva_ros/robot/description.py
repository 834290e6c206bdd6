"""A robot's URDF: which joints move, how far, how fast, and which link carries which."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from ..errors import UserError

MOVING = ("revolute", "continuous", "prismatic")


@dataclass(frozen=True)
class DescribedJoint:
    """One joint of a URDF; values that it lacks are None. Units: rad or m, and seconds.

    Attributes:
        name: of the joint.
        kind: "revolute", "continuous", "prismatic", "fixed" and others of URDF.
        parent: link that carries it.
        child: link that it moves.
        mimics: joint that it follows; empty for none.
        lower: least position; the soft limit where there is one.
        upper: greatest position.
        velocity: greatest speed.
        acceleration: greatest acceleration (URDF 1.2).
        jerk: greatest jerk (URDF 1.2).
    """

    name: str
    kind: str
    parent: str
    child: str
    mimics: str = ""
    lower: float | None = None
    upper: float | None = None
    velocity: float | None = None
    acceleration: float | None = None
    jerk: float | None = None

    @property
    def linear(self) -> bool:
        """It moves along a line: positions are in m."""
        return self.kind == "prismatic"

    @property
    def moves(self) -> bool:
        """It has a drive; mimic joints have none."""
        return self.kind in MOVING and not self.mimics


@dataclass(frozen=True)
class Description:
    """All joints of a robot, each after the one that carries it, branches in the URDF's order."""

    joints: tuple[DescribedJoint, ...]

    @staticmethod
    def load(path: Path) -> Description:
        """Read a URDF, or a xacro file that needs no arguments.

        Raises:
            UserError: it cannot be read or is no robot description; names the file.
        """
        return Description.parse(description_text(path), str(path))

    @staticmethod
    def parse(text: str, source: str) -> Description:
        """Read a URDF's text.

        Raises:
            UserError: it is no robot description; names `source`.
        """
        try:
            root = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise UserError(f"URDF {source} is no XML: {error}") from error
        if root.tag != "robot":
            raise UserError(f"URDF {source} has no <robot> at its top, but <{root.tag}>")
        try:
            joints = tuple(_joint(element) for element in root.findall("joint"))
        except ValueError as error:
            raise UserError(f"URDF {source}: {error}") from error
        ordered = tuple(_ordered(joints))
        if not any(joint.moves for joint in ordered):
            raise UserError(f"URDF {source} has no joint that moves")
        return Description(ordered)

    @property
    def moving(self) -> tuple[DescribedJoint, ...]:
        """The joints with a drive."""
        return tuple(joint for joint in self.joints if joint.moves)

    def find(self, name: str) -> DescribedJoint | None:
        """The joint of that name, or None."""
        return next((joint for joint in self.joints if joint.name == name), None)

    def carried_by(self, link: str) -> tuple[DescribedJoint, ...]:
        """The joints directly on a link."""
        return tuple(joint for joint in self.joints if joint.parent == link)

    def from_link(self, link: str) -> Iterator[DescribedJoint]:
        """All joints beyond a link, depth first."""
        for joint in self.carried_by(link):
            yield joint
            yield from self.from_link(joint.child)

    @property
    def roots(self) -> tuple[str, ...]:
        """Links that nothing carries."""
        children = {joint.child for joint in self.joints}
        return tuple(dict.fromkeys(j.parent for j in self.joints if j.parent not in children))


def description_text(path: Path) -> str:
    """The text of a URDF, or of a xacro file that needs no arguments, expanded.

    Raises:
        UserError: it cannot be read; names the file.
    """
    try:
        return _expanded(path) if path.suffix == ".xacro" else path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"URDF {path} cannot be read: {error}") from error


def _expanded(path: Path) -> str:
    try:
        import xacro
    except ImportError as error:
        raise UserError(
            f"{path} needs xacro ({error}): pip install xacro, or give the expanded URDF"
        ) from error
    try:
        return str(xacro.process_file(str(path)).toxml())
    except Exception as error:  # xacro's errors have no common class
        raise UserError(f"xacro cannot expand {path}: {error}") from error


def _joint(element: ElementTree.Element) -> DescribedJoint:
    name = element.get("name")
    if not name:
        raise ValueError("a joint has no name")
    kind = element.get("type", "")
    limit, soft, mimic = (element.find(tag) for tag in ("limit", "safety_controller", "mimic"))
    lower, upper = (_number(name, limit, field) for field in ("lower", "upper"))
    if kind in ("revolute", "prismatic") and limit is not None:
        lower, upper = lower or 0.0, upper or 0.0  # what URDF says of an absent attribute
    if soft is not None:
        low, high = (_number(name, soft, f"soft_{f}_limit") for f in ("lower", "upper"))
        if low is not None and high is not None and low < high:
            lower = low if lower is None else max(lower, low)
            upper = high if upper is None else min(upper, high)
    if kind == "continuous" or lower is None or upper is None or not lower < upper:
        lower = upper = None
    return DescribedJoint(
        name=name,
        kind=kind,
        parent=_link(name, element, "parent"),
        child=_link(name, element, "child"),
        mimics="" if mimic is None else mimic.get("joint", ""),
        lower=lower,
        upper=upper,
        velocity=_positive(name, limit, "velocity"),
        acceleration=_positive(name, limit, "acceleration"),
        jerk=_positive(name, limit, "jerk"),
    )


def _link(joint: str, element: ElementTree.Element, end: str) -> str:
    found = element.find(end)
    link = "" if found is None else found.get("link", "")
    if not link:
        raise ValueError(f"joint {joint} has no {end} link")
    return link


def _number(joint: str, element: ElementTree.Element | None, field: str) -> float | None:
    text = None if element is None else element.get(field)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"joint {joint}: {field} is no number: '{text}'") from None
    return value if math.isfinite(value) else None


def _positive(joint: str, element: ElementTree.Element | None, field: str) -> float | None:
    """Exporters write 0 where they do not know."""
    value = _number(joint, element, field)
    return value if value else None


def _ordered(joints: tuple[DescribedJoint, ...]) -> Iterator[DescribedJoint]:
    unordered = Description(joints)
    seen: set[str] = set()
    for root in unordered.roots:
        for joint in unordered.from_link(root):
            if joint.child in seen:
                return
            seen.add(joint.child)
            yield joint
