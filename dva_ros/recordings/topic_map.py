"""Which topic of a bag is which source of the cell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from .bag import Topic
from .errors import RecordingError
from .marks import MARKS
from .settings import CellSettings

COMPRESSED = "/compressed"


class Role(Enum):
    """What messages of a topic say."""

    IMAGE = auto()
    COMPRESSED_IMAGE = auto()
    JOINTS = auto()
    STATE = auto()
    TRAJECTORY = auto()
    INSTRUCTION = auto()
    MARK = auto()


@dataclass(frozen=True)
class TopicMap:
    """Topics of a bag that are used.

    Attributes:
        roles: topic -> what it says, and of which camera or controller ("" for others).
        namespace: that the cell's topics stand in; empty for none.
        marked: the bag was made to have marks of episodes.
    """

    roles: dict[str, tuple[Role, str]] = field(default_factory=dict)
    namespace: str = ""
    marked: bool = False


def map_topics(
    topics: Iterable[Topic], settings: CellSettings, namespace: str | None = None
) -> TopicMap:
    """Find the cell's topics in a bag.

    Args:
        topics: of the bag.
        settings: of the cell.
        namespace: of the cell's topics; None where it is to be found.

    Raises:
        RecordingError: a camera or the joint states are not there, or several cells are.
    """
    names = {topic.name for topic in topics}
    needed = [f"{camera.name}/image_raw" for camera in settings.spec.cameras] + ["joint_states"]
    relative = [name for name in needed if not settings.names.topics.get(name, "").startswith("/")]
    if namespace is None:
        prefix = _find_prefix(names, relative)
    else:
        prefix = f"/{namespace.strip('/')}".rstrip("/")
    found = TopicMap({}, prefix.strip("/"), False)
    for camera in settings.spec.cameras:
        name = _topic(f"{camera.name}/image_raw", prefix, settings)
        if name not in names and name + COMPRESSED in names:
            name += COMPRESSED
        compressed = name.endswith(COMPRESSED)
        role = Role.COMPRESSED_IMAGE if compressed else Role.IMAGE
        if name in found.roles:
            raise RecordingError(
                f"{name} is to be both camera '{found.roles[name][1]}' and '{camera.name}'; "
                "correct the file for --map"
            )
        found.roles[name] = (role, camera.name)
    found.roles[_topic("joint_states", prefix, settings)] = (Role.JOINTS, "")
    missing = sorted(set(found.roles) - names)
    if missing:
        raise RecordingError(
            f"the bag has no {', '.join(missing)}; it has "
            f"{', '.join(sorted(names)) or 'nothing'}. Other names go into a file for --map, "
            "other cameras into --params-file"
        )
    for controller in settings.controllers:
        state, sent = f"{controller}/controller_state", f"{controller}/joint_trajectory"
        found.roles[_topic(state, prefix, settings)] = (Role.STATE, controller)
        found.roles[_topic(sent, prefix, settings)] = (Role.TRAJECTORY, controller)
    found.roles[_topic("instruction", prefix, settings)] = (Role.INSTRUCTION, "")
    marks = _topic(MARKS, prefix, settings)
    found.roles[marks] = (Role.MARK, "")
    return TopicMap(found.roles, found.namespace, marks in names)


def _topic(relative: str, prefix: str, settings: CellSettings) -> str:
    name = settings.names.topics.get(relative, relative)
    return name if name.startswith("/") else f"{prefix}/{name}"


def _find_prefix(names: set[str], needed: list[str]) -> str:
    """The namespace under which most of what is needed stands."""
    scores: dict[str, int] = {}
    for name in needed:
        for topic in names:
            plain = topic.removesuffix(COMPRESSED)
            if plain.endswith(f"/{name}"):
                prefix = plain[: -len(name) - 1]
                scores[prefix] = scores.get(prefix, 0) + 1
    best = [prefix for prefix, score in scores.items() if score == max(scores.values())]
    if len(best) > 1:
        raise RecordingError(
            "the bag holds several cells: "
            f"{', '.join(prefix or '/' for prefix in sorted(best))}; choose one with --namespace"
        )
    return best[0] if best else ""
