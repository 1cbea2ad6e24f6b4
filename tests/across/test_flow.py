"""Images that are changed at random in the thread that fetches batches are the same in every run, on every backend."""
import numpy as np

from keraflow import backend as B
from keraflow.datasets import digits
from keraflow.layers import Dense, Flatten, Input
from keraflow.models import Model
from keraflow.preprocessing.image import ImageDataGenerator
from keraflow.utils import to_categorical


def losses_on(name):
    B.use(name)
    B.seed(1)
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    changed = ImageDataGenerator(rescale=1 / 16, width_shift_range=0.1, rotation_range=10, zoom_range=0.1)
    image = Input((1, 8, 8))
    model = Model(image, Dense(10, activation='softmax')(Flatten()(image)))
    model.compile('adam', 'categorical_crossentropy')
    history = model.fit(changed.flow(x_train[:, None], to_categorical(y_train), batch_size=100), nb_epoch=2, verbose=0,
                        validation_data=ImageDataGenerator(rescale=1 / 16).flow(
                            x_test[:, None], to_categorical(y_test), batch_size=100, shuffle=False))
    return [[epoch['loss'], epoch['val_loss']] for epoch in history]


def test_a_flow_trains_the_same_everywhere(other):
    first, again, expected = losses_on(other), losses_on(other), losses_on('numpy')
    assert first == again
    np.testing.assert_allclose(first, expected, rtol=1e-5)
    assert first[1][0] < first[0][0] and first[1][1] < first[0][1]
