"""Python processes that start in a few milliseconds: forked from one that has already imported what they need.

    python -m trainingrun_trainer.forkserver SOCKET MODULE...

imports the modules, and then forks a process for every order that comes to the Unix socket: see `order`. The socket's file is
there as soon as orders are taken. The server ends when its standard input does, and all that it has forked ends with it.

A forked process is as a fresh one, but for what the interpreter has read while it started: see `order.READ_WHILE_STARTING`.
Its hashes of strings are those of its siblings, because they share the server's secret. What is bound to a process rather than
to an environment (limits, control groups, the set of processors) is the server's.

Python's own `multiprocessing.forkserver` belongs to one process, leaves the standard streams and the environment alone, and
ends its children without what a module has registered for its exit. From there are the descriptors that come with an order, and
the end with the owner.
"""
