"""The causal video model, its KV cache and sampler."""
