"""The user's own network: what his function is given, and every way in which it can be wrong."""

import itertools
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainingrun.api import Model
from trainingrun_trainer.errors import TrainerError
from trainingrun_trainer.models.networks import build
from trainingrun_trainer.models.parameters import entrypoint_parameters

SHAPE, CLASSES = (6, 5, 1), 3
_NUMBERS = itertools.count()

GOOD = """
    import tf_keras
    def build(input_shape, classes, parameters):
        layers = [tf_keras.Input(input_shape), tf_keras.layers.Flatten(), tf_keras.layers.Dense(classes)]
        return tf_keras.Sequential(layers)
"""

Written = Callable[..., Model]


@pytest.fixture(autouse=True)
def path_as_it_was() -> Iterator[None]:
    """Python's path belongs to the whole process."""
    before = list(sys.path)
    yield
    sys.path[:] = before


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Puts code where a ConfigMap would be mounted, in a module that no test has imported; returns the model that names it."""

    def write(code: str, *, name: str = "build", map_name: str = "my-models", **parameters: str) -> Model:
        module = f"users_{next(_NUMBERS)}"
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code).lstrip())
        return a_model(f"{module}:{name}", map_name=map_name, **parameters)

    return write


def a_model(function: str, *, map_name: str | None = None, **parameters: str) -> Model:
    entrypoint = {"function": function} if map_name is None else {"function": function, "configMapName": map_name}
    named = [{"name": key, "value": value} for key, value in parameters.items()]
    return Model.model_validate({"entrypoint": entrypoint, "parameters": named})


def built(model: Model, *, code: Path, seed: int = 1) -> Any:
    return build(model, shape=SHAPE, classes=CLASSES, seed=seed, code=code)


def test_the_function_is_given_the_shape_the_classes_and_its_parameters(written: Written, tmp_path: Path) -> None:
    code = GOOD.replace("layers = [", "print(input_shape, classes, parameters); layers = [").replace(
        "print(", "build.seen = dict(shape=input_shape, classes=classes, parameters=parameters) or print("
    )
    model = written(code, depth="3", rate="1e-2", residual="true", widths="8,16", name_="resnet")
    network = built(model, code=tmp_path)
    module = sys.modules[model.entrypoint.function.partition(":")[0]]  # type: ignore[union-attr]  # it is an entrypoint
    assert module.build.seen == {
        "shape": SHAPE,
        "classes": CLASSES,
        "parameters": {"depth": 3, "rate": 0.01, "residual": True, "widths": [8, 16], "name_": "resnet"},
    }
    assert network(np.zeros((2, *SHAPE), np.float32)).shape == (2, CLASSES)


PARAMETERS: dict[str, Any] = {
    "3": 3,
    "-3": -3,
    "0.5": 0.5,
    "1e-4": 1e-4,
    "true": True,
    "null": None,
    "ReLU": "ReLU",
    '"3"': "3",
    "": "",
    "8,16": [8, 16],
    "a, b": ["a", "b"],
    "[8, 16]": [8, 16],
    "NaN": "NaN",
    "1.0.2": "1.0.2",
}


@pytest.mark.parametrize(("text", "value"), PARAMETERS.items())
def test_a_parameter_is_read_as_documented(text: str, value: Any) -> None:
    read = entrypoint_parameters(a_model("m:f", p=text))["p"]
    assert (type(read), read) == (type(value), value)


def test_equal_seeds_give_equal_weights(written: Written, tmp_path: Path) -> None:
    model = written(GOOD)
    one, two, other = (built(model, code=tmp_path, seed=seed).get_weights()[0] for seed in (1, 1, 2))
    assert (one == two).all()
    assert (one != other).any()


def test_modules_of_one_config_map_may_import_each_other(written: Written, tmp_path: Path) -> None:
    (tmp_path / "users_layers.py").write_text("width = 7\n")
    code = GOOD.replace("import tf_keras", "import tf_keras, users_layers").replace(
        "Flatten(),", "Flatten(), tf_keras.layers.Dense(users_layers.width),"
    )
    assert built(written(code), code=tmp_path).layers[1].units == 7


def test_a_module_of_the_image_needs_no_config_map(written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    function = written(GOOD).entrypoint.function  # type: ignore[union-attr]  # it is an entrypoint
    assert built(a_model(function), code=Path("/none")).output_shape == (None, CLASSES)


def test_a_subclass_of_model_is_as_good(written: Written, tmp_path: Path) -> None:
    code = """
        import tf_keras
        class Net(tf_keras.Model):
            def __init__(self, classes):
                super().__init__()
                self.flat, self.dense = tf_keras.layers.Flatten(), tf_keras.layers.Dense(classes)
            def call(self, inputs, training=None):
                return self.dense(self.flat(inputs))
        def build(input_shape, classes, parameters):
            return Net(classes)
    """
    assert len(built(written(code), code=tmp_path).trainable_variables) == 2


LAYERS = "tf_keras.layers.Flatten(), tf_keras.layers.Dense(classes)"


def returning(expression: str, *, before: str = "pass") -> str:
    """A module whose function returns this."""
    return f"""
        import tf_keras
        def build(input_shape, classes, parameters):
            {before}
            return {expression}
    """


def sequence(*layers: str) -> str:
    return f"tf_keras.Sequential([{', '.join(layers)}])"


WRONG: dict[str, tuple[str, str]] = {
    "a syntax error": ("def build(:\n", r"importing users_\d+ raised SyntaxError: invalid syntax \(users_\d+.py, line 1\)\."),
    "an import of what is not there": (
        "import no_such_thing\n",
        r"raised ModuleNotFoundError: No module named 'no_such_thing' \(users_\d+.py, line 1: import no_such_thing\)\.",
    ),
    "a module that ends the process": (
        "import sys\nsys.exit(3)\n",
        r"importing users_\d+ ended the process \(sys.exit with 3 \(users_\d+.py, line 2: sys.exit\(3\)\)\)",
    ),
    "another function": (
        "def make(input_shape, classes, parameters):\n    pass\n",
        r"users_\d+ has no function build; it has make\.",
    ),
    "no function": ("build = 3\n", r"users_\d+ has no function build; it has none\."),
    "a function of two": (
        "def build(input_shape, classes):\n    pass\n",
        r"is called as \(input_shape, classes, parameters\), but takes \(input_shape, classes\): change",
    ),
    "a function that raises": (
        returning("1 / 0"),
        r"build raised ZeroDivisionError: division by zero \(users_\d+.py, line 4: return 1 / 0\)\.",
    ),
    "a function that is called by the function": (
        "def inner():\n    raise OSError('gone')\ndef build(input_shape, classes, parameters):\n    inner()\n",
        r"build raised OSError: gone \(users_\d+.py, line 2: raise OSError\('gone'\)\)\.",
    ),
    "a function that raises in Keras": (
        returning("tf_keras.layers.Dense(-1)"),
        r"raised ValueError: Received an invalid value for `units`.* \(users_\d+.py, line 4: return tf_keras.layers.Dense",
    ),
    "a function that ends the process": (returning("1", before="raise SystemExit"), r"build ended the process \(sys.exit"),
    "no return": (returning("None"), "returned None: it must return the network"),
    "a number": (returning("3"), r"returned an object of the type builtins.int: it must be a tf_keras.Model\."),
    "a layer": (returning("tf_keras.layers.Dense(classes)"), "returned an object of the type tf_keras.*Dense: it must be"),
    "a model of Keras 3": (
        returning("type('Sequential', (), {'__module__': 'keras.src.models'})()"),
        "returned a network of Keras 3, which Horovod cannot train: import tf_keras instead of keras",
    ),
    "a compiled network": (
        returning("network", before=f"network = {sequence(LAYERS)}; network.compile('sgd')"),
        r"returned a network that is compiled: remove compile\(\)",
    ),
    "two inputs": (
        returning("tf_keras.Model([a, b], a + b)", before="a, b = tf_keras.Input(input_shape), tf_keras.Input(input_shape)"),
        "returned a network with 2 inputs: it must have one",
    ),
    "another input": (
        returning(sequence("tf_keras.Input((28, 28, 1))", LAYERS)),
        r"returned a network for inputs of the shape \[28, 28, 1\], but the samples have \[6, 5, 1\]: use the first argument",
    ),
    "layers that take no such samples": (
        returning(sequence("tf_keras.layers.Conv2D(4, 9)", LAYERS)),
        r"its network, called with samples of the shape \[6, 5, 1\], raised",
    ),
    "too many outputs": (
        returning(sequence("tf_keras.layers.Flatten()", "tf_keras.layers.Dense(1000)")),
        r"have the shape \[1000\], but the data has 3 classes, so that \[3\] is expected: use the second argument, classes",
    ),
    "an output per pixel": (returning(sequence("tf_keras.layers.Dense(classes)")), r"have the shape \[6, 5, 3\], but"),
    "a list of outputs": (
        returning("tf_keras.Model(x, [x, x])", before="x = tf_keras.Input(input_shape)"),
        "returned a network with outputs of the type list: it must give one tensor",
    ),
    "a softmax in the last layer": (
        returning(sequence("tf_keras.layers.Flatten()", "tf_keras.layers.Dense(classes, 'softmax', name='last')")),
        r"returned a network that ends with softmax \(last\): it must give logits, so remove the softmax",
    ),
    "a softmax as the last layer": (returning(sequence(LAYERS, "tf_keras.layers.Softmax()")), "ends with softmax"),
    "nothing to train": (
        returning("network", before=f"network = {sequence(LAYERS)}; network.trainable = False"),
        "returned a network without weights that can be trained",
    ),
    "a condition on a tensor": (
        """
        import tensorflow as tf, tf_keras
        class Odd(tf_keras.layers.Layer):
            def call(self, inputs):
                return inputs if tf.reduce_sum(inputs) > 0 else -inputs
        def build(input_shape, classes, parameters):
            return tf_keras.Sequential([Odd(), tf_keras.layers.Flatten(), tf_keras.layers.Dense(classes)])
        """,
        r"traced into a graph for training \(layers must use tf.cond, not if\), raised \w+: .*\(users_\d+.py, line 4: ",
    ),
}


@pytest.mark.parametrize(("code", "words"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_trained_is_a_sentence_and_never_tried_again(
    written: Written, tmp_path: Path, code: str, words: str
) -> None:
    model = written(code)
    with pytest.raises(TrainerError, match=words) as refused:
        built(model, code=tmp_path)
    assert model.entrypoint is not None
    assert f"spec.model.entrypoint.function {model.entrypoint.function}" in str(refused.value)
    assert (refused.value.cause, refused.value.exit_code) == ("BadConfig", 64)


def test_a_config_map_without_the_module_says_what_it_has(tmp_path: Path) -> None:
    (tmp_path / "my_modles.py").touch()
    (tmp_path / "..data").mkdir()  # as Kubernetes mounts it
    words = r"spec.model.entrypoint.configMapName m has no key my_models.py, which my_models:build needs; it has my_modles.py\."
    with pytest.raises(TrainerError, match=words):
        built(a_model("my_models:build", map_name="m"), code=tmp_path)


def test_a_module_that_hides_behind_one_of_the_trainers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "json.py").touch()
    with pytest.raises(TrainerError, match=r"the trainer has a module json already\. Rename yours\."):
        built(a_model("json:build", map_name="m"), code=tmp_path)


def test_a_module_that_the_image_does_not_have_is_named_with_similar_ones() -> None:
    words = r"there is no module tf_kears in the image. Similar names: tf_keras.* Install it in spec.image, or put tf_kears.py"
    with pytest.raises(TrainerError, match=words):
        built(a_model("tf_kears.models:build"), code=Path("/none"))


def test_a_part_of_a_package_that_is_not_there_is_named() -> None:
    with pytest.raises(TrainerError, match=r"importing tf_keras\.nothing raised ModuleNotFoundError: No module named"):
        built(a_model("tf_keras.nothing:build"), code=Path("/none"))
