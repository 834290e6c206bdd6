"""Put a cube of random place and colour into the tray, with the nearer arm."""

from .task import PickPlace

TASK = PickPlace()
