"""Episodes and datasets: recording, LeRobot files, the decoded store, statistics."""
