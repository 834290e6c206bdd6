"""From a clip of frames to joint motion."""
