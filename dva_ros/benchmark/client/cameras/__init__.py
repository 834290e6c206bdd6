"""What three cameras cost in ``camera_context``, beside a naive node."""
