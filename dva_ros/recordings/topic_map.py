"""Which topic of a bag is which source of the cell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, auto

from ..context.camera_input import COMPRESSED, CameraInput, info_beside
from .bag_file import Topic
from .errors import RecordingError
from .marks import MARKS
from .settings import CellSettings


class Role(Enum):
    """What messages of a topic say."""

    IMAGE = auto()
    COMPRESSED_IMAGE = auto()
    INFO = auto()
    JOINTS = auto()
    STATE = auto()
    TRAJECTORY = auto()
    INSTRUCTION = auto()
    MARK = auto()


Roles = dict[str, tuple[Role, tuple[str, ...]]]


@dataclass(frozen=True)
class TopicMap:
    """Topics of a bag that are used.

    Attributes:
        roles: topic -> what it says, and of which cameras.
        namespace: that the cell's topics stand in; empty for none.
        marked: the bag was made to have marks of episodes.
    """

    roles: Roles = field(default_factory=dict)
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
        RecordingError: a camera, the camera_info that it needs, or the joint states are not
            there, or several cells are.
    """
    names = {topic.name for topic in topics}
    needed = [given.topic.name for given in settings.inputs.values()] + ["joint_states"]
    relative = [name for name in needed if not settings.names.topics.get(name, "").startswith("/")]
    if namespace is None:
        prefix = _find_prefix(names, relative)
    else:
        prefix = f"/{namespace.strip('/')}".rstrip("/")
    roles = _camera_roles(names, settings, prefix)
    roles[_topic("joint_states", prefix, settings)] = (Role.JOINTS, ())
    missing = sorted(set(roles) - names)
    if missing:
        raise RecordingError(
            f"the bag has no {', '.join(missing)}; it has "
            f"{', '.join(sorted(names)) or 'nothing'}. Other names go into a file for --map, "
            "other cameras into --params-file"
        )
    for controller in settings.controllers:
        state, sent = f"{controller}/controller_state", f"{controller}/joint_trajectory"
        roles[_topic(state, prefix, settings)] = (Role.STATE, ())
        roles[_topic(sent, prefix, settings)] = (Role.TRAJECTORY, ())
    roles[_topic("instruction", prefix, settings)] = (Role.INSTRUCTION, ())
    marks = _topic(MARKS, prefix, settings)
    roles[marks] = (Role.MARK, ())
    return TopicMap(roles, prefix.strip("/"), marks in names)


def _camera_roles(names: set[str], settings: CellSettings, prefix: str) -> Roles:
    roles: Roles = {}
    for camera, given in settings.inputs.items():
        images = _images(names, given, prefix, settings)
        role = Role.COMPRESSED_IMAGE if images.endswith(COMPRESSED) else Role.IMAGE
        sharing = roles.get(images, (role, ()))[1]
        for other in sharing:
            if settings.inputs[other].topic.name != given.topic.name:
                raise RecordingError(
                    f"{images} is to be both camera '{other}' and '{camera}'; "
                    "correct the file for --map"
                )
        roles[images] = (role, (*sharing, camera))
        if given.rectify:
            info = info_beside(images.removesuffix(COMPRESSED))
            if given.topic.info in settings.names.topics:
                info = _topic(given.topic.info, prefix, settings)
            roles[info] = (Role.INFO, (*roles.get(info, (Role.INFO, ()))[1], camera))
    return roles


def _images(names: set[str], given: CameraInput, prefix: str, settings: CellSettings) -> str:
    """The bag's topic of a camera: as the live node hears it; where the bag has only the other
    transport, that."""
    raw = _topic(given.topic.name, prefix, settings)
    if raw.endswith(COMPRESSED):  # as the map has it
        return raw
    compressed = raw + COMPRESSED
    first, second = (compressed, raw) if given.topic.compressed else (raw, compressed)
    return second if first not in names and second in names else first


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
