"""What is said about runs, as values: tables, why one does not go on, what differs between two. Pure: nothing here does I/O."""
