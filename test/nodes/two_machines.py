"""Two network namespaces with a cable between them: nothing is shared but the packets."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

INTERFACE = "dva0"
NETWORK = "10.77.0"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a program; its output is captured."""
    return subprocess.run(words, capture_output=True, text=True, check=False)


class TwoMachines:
    """Makes them; `close` takes them away.

    Raises:
        RuntimeError: they cannot be made here, and why.
    """

    def __init__(self) -> None:
        if os.geteuid() != 0 or shutil.which("ip") is None:
            raise RuntimeError("network namespaces need root and ip (apt-get install iproute2)")
        self.names = tuple(f"dva_{side}_{os.getpid()}" for side in ("robot", "gpu"))
        peers = [f"dva{side}{os.getpid() % 100000}" for side in "rg"]
        try:
            for name in self.names:
                self._ip("netns", "add", name)
            self._ip("link", "add", peers[0], "type", "veth", "peer", "name", peers[1])
            for number, (name, peer) in enumerate(zip(self.names, peers, strict=True), start=1):
                self._ip("link", "set", peer, "netns", name, "name", INTERFACE)
                self._ip("-n", name, "addr", "add", f"{NETWORK}.{number}/24", "dev", INTERFACE)
                self._ip("-n", name, "link", "set", "lo", "up")
                self._ip("-n", name, "link", "set", INTERFACE, "up")
                self._ip("-n", name, "route", "add", "default", "dev", INTERFACE)
        except RuntimeError:
            self.close()
            raise

    def on(self, machine: int) -> list[str]:
        """What stands before a command that runs on machine 0 or 1."""
        return ["ip", "netns", "exec", self.names[machine]]

    def received_bytes(self, machine: int) -> int:
        """Over the cable, so far."""
        path = f"/sys/class/net/{INTERFACE}/statistics/rx_bytes"
        return int(run(*self.on(machine), "cat", path).stdout)

    def lose(self, percent: int) -> None:
        """Drop so many of a hundred packets, fragments included, on both machines.

        Raises:
            RuntimeError: nft is not installed, or the kernel cannot.
        """
        if shutil.which("nft") is None:
            raise RuntimeError("packets are dropped with nft (apt-get install nftables)")
        rules = (
            "add table netdev loss; add chain netdev loss in "
            f'{{ type filter hook ingress device "{INTERFACE}" priority 0; }}; '
            f"add rule netdev loss in numgen random mod 100 < {percent} drop"
        )
        for machine in (0, 1):
            done = run(*self.on(machine), "nft", rules)
            if done.returncode:
                raise RuntimeError(f"nft cannot drop packets here: {done.stderr.strip()}")

    def close(self) -> None:
        """Take the namespaces away, and with them the cable."""
        for name in self.names:
            if Path("/run/netns", name).exists():
                run("ip", "netns", "del", name)

    @staticmethod
    def _ip(*words: str) -> None:
        done = run("ip", *words)
        if done.returncode:
            raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
