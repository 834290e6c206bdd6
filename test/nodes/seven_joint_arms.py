"""A second robot: two 7-joint arms on a torso, with names and quirks that the embedded one has
not: a lift, mimicking fingers, a wrist that turns without end, soft limits."""

from __future__ import annotations

SIDES = ("port", "starboard")
LIFT = "torso_lift"
ARM_JOINTS = tuple(
    (*(f"{side}_axis_{i}" for i in range(1, 8)), f"{side}_finger") for side in SIDES
)
JOINTS = tuple(joint for arm in ARM_JOINTS for joint in arm)


def urdf(velocity: str = 'velocity="2.4"', links: str = "{side}_") -> str:
    """Its URDF.

    Args:
        velocity: attribute of the limits of every arm joint.
        links: what the names of an arm's links begin with.
    """
    parts = [
        '<robot name="second"><link name="world"/><link name="torso"/>',
        _joint(
            LIFT, "prismatic", "world", "torso", '<limit lower="0" upper="0.4" velocity="0.1"/>'
        ),
    ]
    for side in SIDES:
        prefix = links.format(side=side)
        parts.append(f'<link name="{prefix}base"/>')
        parts.append(_joint(f"{side}_mount", "fixed", "torso", f"{prefix}base"))
        parent = f"{prefix}base"
        for i in range(1, 8):
            child, name = f"{prefix}link_{i}", f"{side}_axis_{i}"
            limit = f'<limit lower="-2.9" upper="2.9" effort="9" {velocity}/>'
            if i == 2:
                limit += '<safety_controller soft_lower_limit="-2" soft_upper_limit="2.1"/>'
            parts.append(f'<link name="{child}"/>')
            kind = "continuous" if i == 7 else "revolute"
            parts.append(_joint(name, kind, parent, child, limit))
            parent = child
        limit = '<limit lower="0" upper="0.04" effort="9" velocity="0.3"/>'
        mimic = limit + f'<mimic joint="{side}_finger"/>'
        for name, content in ((f"{side}_finger", limit), (f"{side}_finger_b", mimic)):
            parts.append(f'<link name="{prefix}{name}_link"/>')
            parts.append(_joint(name, "prismatic", parent, f"{prefix}{name}_link", content))
    return "".join((*parts, "</robot>"))


def _joint(name: str, kind: str, parent: str, child: str, content: str = "") -> str:
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
        f"{content}</joint>"
    )
