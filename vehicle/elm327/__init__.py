"""Bytes of ELM327 adapters, apart from wires: replies, frames, reassembly, typed outcomes."""
