"""Learn what small colour photographs show (CIFAR-10), on images that are shifted and flipped at random.

A network of about the same size, Keras's example of the same name, reaches 0.75 after 25 epochs and 0.79 after 50
(F. Chollet et al., "Keras", https://keras.io, 2015). The data are downloaded once (170 MB); ``--path
cifar-10-python.tar.gz`` uses an existing file. An epoch takes minutes on two cores.
"""
import sys

import numpy as np
from _other_backend import run

from keraflow import backend as B
from keraflow.datasets import cifar10
from keraflow.layers import BatchNormalization, Convolution2D, Dense, Dropout, Flatten, Input, Pooling2D
from keraflow.models import Model
from keraflow.preprocessing.image import ImageDataGenerator


def make_model():
    """Build a network: twice, convolutions and a pooling that halves rows and columns; then a classifier."""
    image = x = Input((3, 32, 32), name='image')
    for nb_kernel in 32, 64:
        x = BatchNormalization()(Convolution2D(nb_kernel, 3, 3, pad='same', activation='relu')(x))
        x = BatchNormalization()(Convolution2D(nb_kernel, 3, 3, pad='same', activation='relu')(x))
        x = Dropout(0.25)(Pooling2D('max')(x))
    x = Dense(256, activation='relu')(Flatten()(x))
    answer = Dense(len(cifar10.CLASSES), activation='softmax', name='class')(Dropout(0.5)(x))
    return Model(inputs=image, outputs=answer)


def train(nb_epoch, path):
    """Train a model; return it, some unseen images, and its accuracy on all of them."""
    (x_train, y_train), (x_test, y_test) = cifar10.load_data(path)
    x_train, x_test = x_train / np.float32(255), x_test / np.float32(255)
    changed = ImageDataGenerator(width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True)
    model = make_model()
    model.summary()
    model.compile('adam', 'sparse_categorical_crossentropy', metrics=['acc'])
    model.fit(changed.flow(x_train, y_train, batch_size=64), nb_epoch=nb_epoch, validation_data=(x_test, y_test))
    accuracy = model.evaluate(x_test, y_test)['acc']
    for number, name in enumerate(cifar10.CLASSES):
        of_this = y_test == number
        if of_this.any():
            print(f'{name:12} {model.evaluate(x_test[of_this], y_test[of_this])["acc"]:.2f}')
    print(f'Test accuracy on {B.name()}: {accuracy:.3f} after {nb_epoch} epochs (Keras: 0.75 after 25)')
    return model, x_test[:256], accuracy


def main(argv=None):
    """Train, save, load in other processes, under each backend, and compare; return 0 if all went well."""
    return run(train, nb_epoch=25, argv=argv, file='cifar-10-python.tar.gz')


if __name__ == '__main__':
    sys.exit(main())
