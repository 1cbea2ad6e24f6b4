"""Data sets, each a module whose ``load_data()`` returns ``(x_train, y_train), (x_test, y_test)``.

A data set is read from a local path, or downloaded once into the folder ``datasets`` of ``KERAFLOW_HOME``.
"""
import keraflow.datasets.cifar10 as cifar10
import keraflow.datasets.digits as digits
import keraflow.datasets.fashion_mnist as fashion_mnist
import keraflow.datasets.imdb as imdb
import keraflow.datasets.mnist as mnist

__all__ = ['cifar10', 'digits', 'fashion_mnist', 'imdb', 'mnist']
