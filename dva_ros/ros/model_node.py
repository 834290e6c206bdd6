"""A node that runs a checkpoint in an inference thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .managed_node import ManagedNode
from .statistics import RollingStatistics
from .worker import Worker


class ModelNode(ManagedNode):
    """Ends the inference thread at teardown, and keeps its last error for the diagnostics."""

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        self._worker: Worker | None = None

    def start_inference(self, checkpoint: Path) -> Worker:
        """Start the thread and reset the figures; the checkpoint's folder names the model."""
        self._model_name = f"{checkpoint.parent.name}/{checkpoint.name}"
        self._latency = RollingStatistics()
        self._refused = 0
        self._error = ""
        self._worker = Worker("inference", self._on_failure)
        return self._worker

    def teardown(self) -> None:
        """End the inference thread."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _on_failure(self, text: str) -> None:
        self._error = text.strip().splitlines()[-1]
        self.get_logger().error(text)
