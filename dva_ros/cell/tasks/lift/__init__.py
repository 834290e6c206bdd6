"""Both arms together lift a box level by 10 cm and hold it for a second."""

from .task import Lift

TASK = Lift()
