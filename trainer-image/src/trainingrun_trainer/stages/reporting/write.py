"""The report as a whole, and its file beside the model."""

import traceback
from collections.abc import Callable

from trainingrun_trainer.output.place import Place
from trainingrun_trainer.report import ReportData, render
from trainingrun_trainer.report.values import Confusion, Pictures
from trainingrun_trainer.stages.reporting.artifacts import artifacts
from trainingrun_trainer.stages.reporting.curves import curves
from trainingrun_trainer.stages.reporting.finished import Finished
from trainingrun_trainer.stages.reporting.reproduce import choices, parameters, versions
from trainingrun_trainer.stages.reporting.search import search_values
from trainingrun_trainer.stages.reporting.summary import facts, metrics
from trainingrun_trainer.stages.reporting.times import stage_times
from trainingrun_trainer.stages.reporting.verdict import verdict


def write_report(place: Place, finished: Finished, *, draw: Callable[[], Pictures]) -> None:
    """Write the page. One that cannot be made costs a run its report, not its model: the log says why.

    Raises TrainerError (OutputFailed) when it cannot be written.
    """
    try:
        page = render(report_data(finished, draw()))
    except Exception:
        traceback.print_exc()
        print("the report could not be made: please report this as a defect of TrainingRun; the model is complete", flush=True)
        return
    place.write(page.encode())


def report_data(finished: Finished, pictures: Pictures) -> ReportData:
    """The values of the report."""
    config, result = finished.config, finished.result
    shown, predictions = finished.shown
    return ReportData(
        name=config.run.name,
        namespace=config.run.namespace,
        finished_at=finished.at.strftime("%Y-%m-%d %H:%M %Z"),
        judged_on="test" if finished.samples["test"] else "validation",
        facts=tuple(facts(finished)),
        metrics=tuple(metrics(finished)),
        verdict=verdict(config.acceptance, result),
        tuning=search_values(config.tuning, finished.search) if config.tuning is not None else None,
        curves=tuple(curves(finished)),
        artifacts=tuple(artifacts(finished)),
        class_names=finished.class_names,
        answered_by=shown,
        is_shipped=result.best is not None,
        confusion=Confusion(classes=finished.classes, counts=predictions.counts) if predictions.counts else None,
        mistakes=pictures.mistakes,
        augmented=pictures.augmented,
        times=tuple(stage_times(finished)),
        accelerators=config.accelerators,
        choices=tuple(choices(finished)),
        versions=tuple(versions(finished)),
        parameters=parameters(config),
    )
