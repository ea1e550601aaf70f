"""The TrainingRun API, `trainingrun.dev/v1alpha1`: frozen models that are also the source of the CRD.

Nothing here does I/O, and nothing here imports Kubernetes: the same models are read by the operator, by the trainer
(inside the attempt's configuration) and by the CRD generator.
"""

from trainingrun.api.augmentation import Augmentation, FillMode
from trainingrun.api.base import AUTO, CheckpointPosition, Frozen, MetricValue, number
from trainingrun.api.data import BuiltinDataset, Data, DataSource, VolumePath
from trainingrun.api.environment import EnvironmentVariable, KeyReference
from trainingrun.api.formats import (
    CSVFiles,
    DataFormat,
    IDXFiles,
    ImageFolder,
    ImageSize,
    NPZArrays,
    TFRecordFiles,
)
from trainingrun.api.metadata import ObjectMeta, OwnerReference
from trainingrun.api.model import (
    ApplicationModel,
    ApplicationName,
    BuiltinModel,
    EntrypointModel,
    Model,
    ModelType,
    Parameter,
)
from trainingrun.api.output import Output
from trainingrun.api.recovery import LostNode, Recovery
from trainingrun.api.resources import ResourceList, Resources
from trainingrun.api.scheduling import NodeLabel, TaintEffect, Toleration, TolerationOperator
from trainingrun.api.spec import TrainingRunSpec
from trainingrun.api.status import (
    Account,
    Artifact,
    Checkpoint,
    Choice,
    Clock,
    Columns,
    Condition,
    Failure,
    Ledger,
    Outcome,
    PastAttempt,
    Progress,
    Resolved,
    Result,
    Stopping,
    StopReason,
    Timeline,
    TrainingRunStatus,
)
from trainingrun.api.storage import CertificateAuthority, Location
from trainingrun.api.strategy import GradientCompression, Strategy, StrategyType, Transport
from trainingrun.api.training import (
    MOST_BATCH,
    Checkpointing,
    EarlyStopping,
    Optimizer,
    OptimizerName,
    Precision,
    Regularization,
    Scaling,
    Schedule,
    ScheduleType,
    StoppingMetric,
    Training,
)
from trainingrun.api.trainingrun import GROUP, KIND, PLURAL, VERSION, TrainingRun
from trainingrun.api.volumes import ClaimVolume, ConfigMapVolume, SecretVolume, Volume
from trainingrun.api.workers import ImagePullPolicy, SecretReference, Workers

__all__ = [
    "AUTO",
    "GROUP",
    "KIND",
    "MOST_BATCH",
    "PLURAL",
    "VERSION",
    "Account",
    "ApplicationModel",
    "ApplicationName",
    "Artifact",
    "Augmentation",
    "BuiltinDataset",
    "BuiltinModel",
    "CSVFiles",
    "CertificateAuthority",
    "Checkpoint",
    "CheckpointPosition",
    "Checkpointing",
    "Choice",
    "ClaimVolume",
    "Clock",
    "Columns",
    "Condition",
    "ConfigMapVolume",
    "Data",
    "DataFormat",
    "DataSource",
    "EarlyStopping",
    "EntrypointModel",
    "EnvironmentVariable",
    "Failure",
    "FillMode",
    "Frozen",
    "GradientCompression",
    "IDXFiles",
    "ImageFolder",
    "ImagePullPolicy",
    "ImageSize",
    "KeyReference",
    "Ledger",
    "Location",
    "LostNode",
    "MetricValue",
    "Model",
    "ModelType",
    "NPZArrays",
    "NodeLabel",
    "ObjectMeta",
    "Optimizer",
    "OptimizerName",
    "Outcome",
    "Output",
    "OwnerReference",
    "Parameter",
    "PastAttempt",
    "Precision",
    "Progress",
    "Recovery",
    "Regularization",
    "Resolved",
    "ResourceList",
    "Resources",
    "Result",
    "Scaling",
    "Schedule",
    "ScheduleType",
    "SecretReference",
    "SecretVolume",
    "StopReason",
    "Stopping",
    "StoppingMetric",
    "Strategy",
    "StrategyType",
    "TFRecordFiles",
    "TaintEffect",
    "Timeline",
    "Toleration",
    "TolerationOperator",
    "Training",
    "TrainingRun",
    "TrainingRunSpec",
    "TrainingRunStatus",
    "Transport",
    "Volume",
    "VolumePath",
    "Workers",
    "number",
]
