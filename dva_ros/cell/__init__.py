"""The simulated MuJoCo cell: robot, cameras, tasks, experts, controller emulation."""
