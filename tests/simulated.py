"""Kinds of systems that are simulated; of the others there are only videos."""

from hgnpipe.systems import SYSTEMS
from hgnpipe.systems.base import System

SIMULATED = [n for n in SYSTEMS.names() if issubclass(SYSTEMS.find(n), System)]
