"""The embedded MuJoCo cell: robot, cameras, tasks, experts, controller emulation."""
