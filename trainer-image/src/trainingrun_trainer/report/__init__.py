"""The report of a run: one page that needs nothing else. Values in (`values`), text out (`render`); no TensorFlow."""

from trainingrun_trainer.report.page import render
from trainingrun_trainer.report.values import ReportData

__all__ = ["ReportData", "render"]
