"""Where the time and the memory of a training step go."""
from keraflow.training.profiling.profile import PartProfile, Profile
from keraflow.training.profiling.profiler import profile

__all__ = ['PartProfile', 'Profile', 'profile']
