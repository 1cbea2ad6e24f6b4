"""All layers of the catalogue in one model: other backends predict the same from its files, and samples do not mix."""
import numpy as np
from catalogue import LAYERS

from keraflow import backend as B
from keraflow.models import Model
from keraflow.testing.subject import Options, Subject

NB_SAMPLE = 3
GIVEN = ('dtype', 'input_range', 'weights', 'custom_objects')


def subjects():
    """What check_layer makes of the samples, by name of the sample; of those with the same name of their own the first."""
    found, names = {}, set()
    for name, samples in LAYERS.items():
        for number, one in enumerate(samples):
            options = Options(**{key: one.options.get(key) for key in GIVEN}, batch_sizes=(NB_SAMPLE, 1), nb_probe=0, seed=number)
            subject = Subject(one.make, one.input_shapes, options)
            if subject.layer.name not in names:
                names.add(subject.layer.name)
                found[f'{name}-{number}'] = subject
    return found


def difference(found, expected):
    assert found.shape == expected.shape and found.dtype == expected.dtype
    return np.max(np.abs(found - expected)) / max(1., np.max(np.abs(expected)))


def test_all_layers_in_one_model(backend_name, tmp_path):
    arch = 'a.yaml' if backend_name == 'theano' else 'a.json'       # each format once: the model is large
    made = subjects()
    assert {label.rpartition('-')[0] for label in made} == set(LAYERS)
    labels = [label for label, subject in made.items() for _ in subject.kensors]
    model = Model([kensor for subject in made.values() for kensor in subject.kensors[0].call.inputs],
                  [kensor for subject in made.values() for kensor in subject.kensors])
    x = [array for subject in made.values() for array in subject.draw(NB_SAMPLE)]
    expected = model.predict(x)
    turned = model.predict([array[::-1] for array in x])
    for label, one, other in zip(labels, expected, turned):
        if not getattr(made[label].layer, 'include_batch_dim', False):
            assert difference(other[::-1], one) < 1e-5, label
    model.save_to_file(tmp_path / arch, tmp_path / 'w.safetensors')
    customs = [one for subject in made.values() for one in subject.options.custom_objects or ()]
    for name in set(B.available()) - {backend_name}:
        B.use(name)
        again = Model.load_from_file(tmp_path / arch, tmp_path / 'w.safetensors', custom_objects=customs)
        for label, one, other in zip(labels, expected, again.predict(x)):
            assert difference(other, one) < 1e-5, f'{label} on {name}'
        again.save_to_file(tmp_path / f'{name}-{arch}', tmp_path / f'{name}.safetensors')
        assert (tmp_path / f'{name}-{arch}').read_text() == (tmp_path / arch).read_text()
        assert (tmp_path / f'{name}.safetensors').read_bytes() == (tmp_path / 'w.safetensors').read_bytes()
