"""From what a finished run knows to the values of its report: one module for each part. Only `pictures` needs TensorFlow."""
