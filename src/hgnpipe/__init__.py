"""Hamiltonian Generative Networks (Toth et al., ICLR 2020), reproduced from nothing."""

__version__ = "0.1.0"
