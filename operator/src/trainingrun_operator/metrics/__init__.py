"""What Prometheus can ask the operator: `catalog` has every metric, `fleet` the gauges of runs, `counting` what counts.

A label's values come from what users and administrators have written (namespaces) or from closed lists of this code, never from
what a pod says: whoever may create a run chooses the image that speaks there.
"""

from trainingrun_operator.metrics.catalog import Metrics

__all__ = ["Metrics"]
