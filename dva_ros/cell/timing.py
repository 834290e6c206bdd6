"""The period of the simulated controller, and the grippers at rest."""

CONTROL_PERIOD_S = 0.01
HOME_OPENING_M = 0.045
