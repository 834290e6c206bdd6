"""The arguments of the launch files, named as in Nav2."""

from __future__ import annotations

from dataclasses import dataclass

from launch import LaunchContext
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration

from ..resources import config_path
from .graph import GraphOptions

TRUE, FALSE = ("true", "True"), ("false", "False")
"""Both spellings, as in Nav2: launch files that include these pass Python's."""


@dataclass(frozen=True)
class Argument:
    """One argument of a launch file.

    Attributes:
        name: as in ``name:=value``.
        default: its value where it is not given.
        meaning: for ``--show-args``.
        choices: allowed values; empty: any.
    """

    name: str
    default: str
    meaning: str
    choices: tuple[str, ...] = ()

    def declaration(self) -> DeclareLaunchArgument:
        """What declares it in a launch description."""
        return DeclareLaunchArgument(
            self.name,
            default_value=self.default,
            description=self.meaning,
            choices=self.choices or None,
        )

    def text(self, context: LaunchContext) -> str:
        """Its value in this launch."""
        return str(LaunchConfiguration(self.name).perform(context))

    def truth(self, context: LaunchContext) -> bool:
        """The value of an argument made by `switch`."""
        return self.text(context) in TRUE


def switch(name: str, default: bool, meaning: str) -> Argument:
    """An argument that is true or false."""
    return Argument(name, str(default).lower(), meaning, TRUE + FALSE)


NAMESPACE = Argument("namespace", "", "pushed before the nodes' names")
AUTOSTART = switch(
    "autostart",
    True,
    "nodes configure and activate themselves, each starts when the one before it is active; "
    "false: all start at once, unconfigured, for a lifecycle manager",
)
USE_RESPAWN = switch(
    "use_respawn", False, "start a node again when it dies, instead of ending all"
)
LOG_LEVEL = Argument(
    "log_level", "info", "of the nodes", ("debug", "info", "warn", "error", "fatal")
)


@dataclass(frozen=True)
class GraphArguments:
    """The arguments of a launch file that starts nodes of this package.

    Attributes:
        params_file: default of the argument of that name.
        use_sim_time: default of the argument of that name.
        with_cell: the simulated cell is among the nodes.
    """

    params_file: str
    use_sim_time: bool = False
    with_cell: bool = False

    def declarations(self) -> list[DeclareLaunchArgument]:
        """What declares them in a launch description, in the order of ``--show-args``."""
        sim_time, file = self._sim_time, self._params_file
        arguments = (NAMESPACE, sim_time, file, AUTOSTART, USE_RESPAWN, LOG_LEVEL)
        return [argument.declaration() for argument in arguments]

    def read(self, context: LaunchContext) -> Bringup:
        """What they say in this launch.

        Raises:
            UserError: the parameters file does not exist.
        """
        return Bringup(
            GraphOptions(
                params_file=config_path(self._params_file.text(context)),
                namespace=NAMESPACE.text(context),
                log_level=LOG_LEVEL.text(context),
                use_sim_time=self._sim_time.truth(context),
                with_cell=self.with_cell,
            ),
            autostart=AUTOSTART.truth(context),
            respawn=USE_RESPAWN.truth(context),
        )

    @property
    def _sim_time(self) -> Argument:
        return switch("use_sim_time", self.use_sim_time, "take time from /clock")

    @property
    def _params_file(self) -> Argument:
        meaning = "parameters of all nodes: a file, or its name in config/"
        return Argument("params_file", self.params_file, meaning)


@dataclass(frozen=True)
class Bringup:
    """How nodes are started by ``launch``.

    Attributes:
        options: which nodes, and their parameters.
        autostart: they configure and activate themselves.
        respawn: one that dies is started again.
    """

    options: GraphOptions
    autostart: bool
    respawn: bool
