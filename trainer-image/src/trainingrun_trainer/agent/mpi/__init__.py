"""Open MPI in a gang: keys over the rendezvous, sshd on the workers, mpirun on worker 0, and places for the ranks.

mpirun starts no training process. On every worker it starts a stand-in for each rank, which hands the place that Open MPI has
given it to the agent; the rank, which the agent has started long before, takes it and becomes that process of the MPI job. So
ranks are the agent's own children with both transports: they import TensorFlow while the workers meet, and are watched, asked,
told to stop and judged in the same way.
"""
